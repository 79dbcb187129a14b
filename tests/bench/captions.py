"""64 captions: transformers' own pipeline one by one and in batches, against ours; same weights, same tokens.

CPU time of this process, so that a busy machine does not spoil the comparison; both sides begin with encoded files.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from pipelines.caption.opening import open_captioner
from pipelines.caption.pipeline import CaptionPipeline
from pipelines.catalog import folders
from pipelines.catalog.catalog import BUNDLED
from pipelines.requests import CaptionRequest
from pipelines.runtime.options import Options
from tests.bench.report import Samples

MODEL, PICTURES, TOKENS = "sprite-captioner", 64, 23
BATCHES = (8, 16, 32, 64)


def measure(_: object, samples: Samples, repeats: int) -> None:
    """caption_of_best_batch: our captions a second ÷ theirs at their best batch size; caption_of_single: ÷ one by one.

    caption_headroom: what their best batch gains over one by one.
    """
    ours, theirs, pictures = _ours(), _theirs(), files()
    assert ours(pictures) == theirs(pictures, 1), "both sides must write the same"
    for _ in range(repeats):
        single, mine = _seconds(lambda: theirs(pictures, 1)), _seconds(lambda: ours(pictures))
        best = min(_seconds(lambda size=size: theirs(pictures, size)) for size in BATCHES)
        samples.add(caption_of_best_batch=best / mine, caption_of_single=single / mine, caption_headroom=single / best,
                    captions_per_cpu_second=PICTURES / mine)  # fmt: skip


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def files() -> list[bytes]:
    """PNGs: the bundled examples, cut into pieces that differ in what is written about them, and in how long it is."""
    sheets = sorted((BUNDLED / "sheets").glob("*.webp"))
    whole = Image.open(sheets[0]).convert("RGB") if sheets else _noise()
    draw, made = np.random.default_rng(1), []
    for _ in range(PICTURES):
        left, top = int(draw.integers(0, whole.width - 160)), int(draw.integers(0, whole.height - 160))
        file = io.BytesIO()
        whole.crop((left, top, left + 160, top + 160)).save(file, "PNG")
        made.append(file.getvalue())
    return made


def _noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(2).integers(0, 255, (40, 60, 3), dtype=np.uint8)).resize((960, 640))


def _ours() -> Callable[[Sequence[bytes]], list[str]]:
    """Decoding, not the check that comes after it, as theirs has none."""
    entry = folders.read(MODEL, BUNDLED / MODEL, "bundled")
    pipeline = open_captioner(entry, Options(torch.device("cpu"), torch.float32), lambda *_: None, lambda: None)  # type: ignore[arg-type, return-value]

    def caption(files: Sequence[bytes]) -> list[str]:
        by_name = {hashlib.sha256(file).hexdigest(): file for file in files}
        requests = [CaptionRequest(picture=name, candidates=1, max_tokens=TOKENS, seed=1, model=MODEL, verify=False)
                    for name in (hashlib.sha256(file).hexdigest() for file in files)]  # fmt: skip
        states = [pipeline.prepare(request, by_name) for request in requests]
        while waiting := [state for state in states if state.live]:
            _step(pipeline, waiting)
        return [pipeline._family.text(state.written[0]) for state in states]

    return caption


def _step(pipeline: CaptionPipeline, waiting: list) -> None:
    key = pipeline.batch_key(waiting[0])
    pipeline.step([state for state in waiting if pipeline.batch_key(state) == key])


def _theirs() -> Callable[[Sequence[bytes], int], list[str]]:
    from transformers import AutoTokenizer, BlipForConditionalGeneration, BlipProcessor, pipeline
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    folder = BUNDLED / MODEL
    processor = BlipProcessor(BlipImageProcessorPil.from_pretrained(folder), AutoTokenizer.from_pretrained(folder))
    model = BlipForConditionalGeneration.from_pretrained(folder).eval()
    pipe: Any = pipeline("image-text-to-text", model=model, processor=processor, device="cpu")

    def caption(files: Sequence[bytes], size: int) -> list[str]:
        written: list[str] = []
        for i in range(0, len(files), size):
            images = [Image.open(io.BytesIO(file)).convert("RGB") for file in files[i : i + size]]
            found = pipe(images=images, text=[""] * len(images), max_new_tokens=TOKENS, do_sample=False)
            written += [one["generated_text"].strip() for one in found]
        return written

    return caption
