"""Cheap previews: a linear map from latents to small pictures, instead of the decoder.

The map of a model lies beside its weights; `pipelines.training.evaluation.preview_fit` fits it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

if TYPE_CHECKING:
    from pipelines.image.entry import ImageEntry
    from pipelines.image.model.parts import Parts

FILE = "preview.safetensors"
PATCH, REACH = 4, 3  # a fitted map sees 3 x 3 latent cells and paints 4 x 4 pixels of the middle one
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
