"""Cheap previews: a linear map from latents to small pictures, instead of the decoder.

`python -m pipelines.image.preview FOLDER` fits the map of a model by least squares and stores it beside the weights.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from pipelines.image.start.latents import denormalise

if TYPE_CHECKING:
    from pipelines.image.entry import ImageEntry
    from pipelines.image.model.parts import Parts
    from pipelines.image.pipeline import ImagePipeline

FILE = "preview.safetensors"
PATCH, REACH = 4, 3  # a fitted map sees 3 x 3 latent cells and paints 4 x 4 pixels of the middle one
RIDGE = 1e-2
SIDE = 256  # pixels of the longer side of a preview
# RGB of each latent channel, fitted by others on the decoders of SD 1 and SDXL (keturn 2022; ComfyUI's latent formats).
_SD = [[0.3512, 0.2297, 0.3227], [0.3250, 0.4974, 0.2350], [-0.2829, 0.1762, 0.2721], [-0.2120, -0.2616, -0.7177]]
_SDXL = [[0.3651, 0.4232, 0.4341], [-0.2533, -0.0042, 0.1068], [0.1076, 0.1111, -0.0362], [-0.3165, -0.2492, -0.2188]]
_SDXL_BIAS = [0.1084, -0.0175, -0.0011]


class Preview:
    """weight: (3 · patch², C, k, k), a convolution whose output is unfolded to patch x patch pixels a latent cell.

    Computed by numpy: it is a thousandth of a step, and torch would wake all of its threads for it. Where the cores are
    busy they wait for each other ten times as long as the work takes.
    """

    def __init__(self, parts: Parts, entry: ImageEntry):
        weight, bias = _map(parts, entry)
        self._reach, self._patch = weight.shape[-1], round((len(weight) // 3) ** 0.5)
        self._weight, self._bias = weight.float().flatten(1).T.contiguous().numpy(), bias.float().numpy()
        Image.preinit()  # the formats are loaded now, so that the first preview takes no longer than the others

    def __call__(self, latents: Tensor) -> Image.Image:
        """latents (1, C, h, w) -> picture, its longer side SIDE pixels."""
        image = Image.fromarray(self._paint(latents[0].float().cpu().numpy()))
        scale = SIDE / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        return image.resize(size, Image.Resampling.BICUBIC)

    def _paint(self, latents: np.ndarray) -> np.ndarray:
        """(C, h, w) -> (h · patch, w · patch, 3), 0…255."""
        _, height, width = latents.shape
        reach, patch, around = self._reach, self._patch, self._reach // 2
        padded = np.pad(latents, ((0, 0), (around, around), (around, around)))
        seen = sliding_window_view(padded, (reach, reach), axis=(1, 2)).transpose(1, 2, 0, 3, 4)
        painted = seen.reshape(height * width, -1) @ self._weight + self._bias
        pixels = painted.reshape(height, width, 3, patch, patch).transpose(0, 3, 1, 4, 2)
        return _levels(pixels.reshape(height * patch, width * patch, 3))


def _levels(pixels: np.ndarray) -> np.ndarray:
    """−1…1 -> 0…255."""
    return np.rint((np.nan_to_num(pixels) / 2 + 0.5).clip(0, 1) * 255).astype(np.uint8)


def _map(parts: Parts, entry: ImageEntry) -> tuple[Tensor, Tensor]:
    if entry.folder and (entry.folder / FILE).is_file():
        fitted = load_file(entry.folder / FILE)
        return fitted["weight"], fitted["bias"]
    channels = parts.unet.config.out_channels
    if channels == 4 and parts.sdxl:
        return _pointwise(torch.tensor(_SDXL)), torch.tensor(_SDXL_BIAS)
    if channels == 4:
        return _pointwise(torch.tensor(_SD)), torch.zeros(3)
    return _pointwise(0.5 * torch.eye(channels, 3)), torch.zeros(3)


def _pointwise(factors: Tensor) -> Tensor:
    """(C, 3) -> (3, C, 1, 1)."""
    return factors.T.contiguous().view(3, -1, 1, 1)


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
