"""Fits the cheap preview of a model to its decoder by least squares: `python -m
pipelines.training.evaluation.preview_fit FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from pipelines.image.preview import FILE, PATCH, REACH
from pipelines.image.start.latents import denormalise

if TYPE_CHECKING:
    from pipelines.image.pipeline import ImagePipeline

RIDGE = 1e-2


@torch.inference_mode()
def fit(vae: Any, latents: Tensor) -> dict[str, Tensor]:
    """{"weight", "bias"} of the map nearest to the decoder on `latents` (N, C, h, w), by ridge regression."""
    pixels = torch.cat([vae.decode(denormalise(z, vae), return_dict=False)[0] for z in latents.split(8)])
    height, width = latents.shape[-2:]
    small = functional.interpolate(pixels.clamp(-1, 1), (height * PATCH, width * PATCH), mode="area")
    targets = functional.pixel_unshuffle(small, PATCH).permute(0, 2, 3, 1).flatten(0, 2).double()
    seen = functional.unfold(latents, REACH, padding=REACH // 2).transpose(1, 2).flatten(0, 1).double()
    seen = torch.cat([seen, torch.ones(len(seen), 1, dtype=seen.dtype)], dim=1)
    square = seen.T @ seen + RIDGE * torch.eye(seen.shape[1], dtype=seen.dtype)
    solved = torch.linalg.solve(square, seen.T @ targets).T.float()
    weight = solved[:, :-1].reshape(-1, latents.shape[1], REACH, REACH)
    return {"weight": weight.contiguous(), "bias": solved[:, -1].contiguous()}


def examples(pipeline: ImagePipeline, prompts: list[str], steps: int = 12) -> Iterator[Tensor]:
    """Predictions (1, C, h, w) from the middle and the end of making one picture of each prompt."""
    from pipelines.requests import make

    entry = pipeline.entry
    for at in range(0, len(prompts), 8):
        asked = [make("image", prompt=prompt, seed=at + i, steps=steps, model=entry.id, sampler=entry.sampler,
                      guidance_scale=entry.guidance_scale, width=entry.width, height=entry.height)
                 for i, prompt in enumerate(prompts[at : at + 8])]  # fmt: skip
        states = [pipeline.prepare(request, {}) for request in asked]
        for step in range(steps):
            pipeline.step(states)
            if step in (steps // 3, steps - 1):
                yield from (state.clean_latents() for state in states)


def main(folder: Path) -> None:
    """Fits and stores the map of the model in `folder`."""
    from pipelines.catalog import folders
    from pipelines.image.entry import ImageEntry
    from pipelines.image.model import loading
    from pipelines.image.pipeline import ImagePipeline
    from pipelines.runtime import options
    from pipelines.runtime.devices import choose, dtype_for

    device = choose("cpu")
    entry = folders.read(folder.name, folder, "folder")
    if not isinstance(entry, ImageEntry):
        raise SystemExit(f"{entry.name} makes no pictures.")
    pipeline = ImagePipeline(loading.load(entry, options.Options(device, dtype_for(device)), lambda *_: None), entry)
    colours = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey"]
    things = ["cat", "house", "tree", "apple", "car", "flower", "bird", "mountain", "face", "star"]
    prompts = [f"a {colour} {thing}" for thing in things for colour in colours]
    latents = torch.cat(list(examples(pipeline, prompts)))
    save_file(fit(pipeline.parts.vae, latents), folder / FILE)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
