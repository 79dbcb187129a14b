"""1. Eight at once against one after another, and against what the bare UNet would allow; and the UNet itself."""

from __future__ import annotations

import time

import torch

from pipelines.image.model import fast_unet
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler
from tests.bench.drive import Drive
from tests.bench.model import PROMPTS, Model
from tests.bench.report import Samples

JOBS, STEPS, CALLS = 8, 20, 8


def measure(model: Model, samples: Samples, repeats: int) -> None:
    """`guided_*`: the same with guidance, sixteen rows against two."""
    for guidance, prefix in ((1.0, ""), (4.0, "guided_")):
        rows = 1 if guidance == 1.0 else 2
        capacity = Capacity()  # learns on, as in a studio that has run for a while
        for repeat in range(repeats + 1):
            few, many = _unet(model, rows), _unet(model, JOBS * rows)
            ours, theirs = _ours(model, guidance, capacity), _theirs(model, guidance)
            if repeat:  # the first one warms up
                ratio, headroom = theirs / ours, JOBS * few / many
                samples.add(**{f"{prefix}batching_ratio": ratio, f"{prefix}headroom": headroom,
                               f"{prefix}batching_of_headroom": ratio / headroom})  # fmt: skip
                samples.add(**{f"unet_ms_{rows}_rows": 1e3 * few, f"unet_ms_{JOBS * rows}_rows": 1e3 * many})


def unet(model: Model, samples: Samples, repeats: int) -> None:
    """lean_unet_N_rows: seconds of a forward with our blocks for CPUs (pipelines/image/model/fast_unet.py) ÷ with those
    of diffusers."""
    network = model.pipeline.parts.unet
    for repeat in range(repeats + 1):
        for rows in (1, 2, 8):
            fast_unet.undo(network)
            theirs = _unet(model, rows)
            fast_unet.lean(network)
            ours = _unet(model, rows)
            if repeat:
                samples.add(**{f"lean_unet_{rows}_rows": ours / theirs})


def _ours(model: Model, guidance: float, capacity: Capacity) -> float:
    requests = [model.request(i, steps=STEPS, guidance_scale=guidance) for i in range(JOBS)]
    drive = Drive(model, Scheduler(capacity))
    return drive.run((0.0, f"j{i}", f"owner{i}", request) for i, request in enumerate(requests)).seconds


def _theirs(model: Model, guidance: float) -> float:
    """diffusers' own pipeline, called one after another."""
    entry, began = model.pipeline.entry, time.perf_counter()
    for i in range(JOBS):
        model.reference(
            PROMPTS[i], width=entry.width, height=entry.height, num_inference_steps=STEPS, guidance_scale=guidance,
            generator=torch.Generator().manual_seed(i)).images[0]  # fmt: skip
    return time.perf_counter() - began


def _unet(model: Model, rows: int) -> float:
    """Median seconds of one call."""
    state = model.pipeline.prepare(model.request(), {})
    sample = state.latents.expand(rows, -1, -1, -1).contiguous(memory_format=model.pipeline.parts.memory_format)
    embeds = state.conditioning.positive.embeds.expand(rows, -1, -1).contiguous()
    times = []
    with torch.inference_mode():
        for _ in range(CALLS):
            began = time.perf_counter()
            model.pipeline.parts.unet(sample, torch.full((rows,), 500.0), encoder_hidden_states=embeds)
            times.append(time.perf_counter() - began)
    return sorted(times)[CALLS // 2]
