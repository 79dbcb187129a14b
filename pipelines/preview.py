"""Cheap previews: a linear map from latents to small pictures, instead of the decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from pipelines.latents import to_image

if TYPE_CHECKING:
    from pipelines.catalog import Entry
    from pipelines.loading import Parts

FILE = "preview.safetensors"
SIDE = 256  # pixels of the longer side of a preview
# RGB of each latent channel, fitted by others on the decoders of SD 1 and SDXL (keturn 2022; ComfyUI's latent formats).
_SD = [[0.3512, 0.2297, 0.3227], [0.3250, 0.4974, 0.2350], [-0.2829, 0.1762, 0.2721], [-0.2120, -0.2616, -0.7177]]
_SDXL = [[0.3651, 0.4232, 0.4341], [-0.2533, -0.0042, 0.1068], [0.1076, 0.1111, -0.0362], [-0.3165, -0.2492, -0.2188]]
_SDXL_BIAS = [0.1084, -0.0175, -0.0011]


class Preview:
    """weight: (3 · patch², C, k, k), a convolution whose output is unfolded to patch x patch pixels a latent cell."""

    def __init__(self, parts: Parts, entry: Entry):
        weight, bias = _map(parts, entry)
        self._weight = weight.to(parts.device, torch.float32)
        self._bias = bias.to(parts.device, torch.float32)
        self._patch = round((len(weight) // 3) ** 0.5)

    def __call__(self, latents: Tensor) -> Image.Image:
        """latents (1, C, h, w) -> picture, its longer side SIDE pixels."""
        pixels = functional.conv2d(latents.float(), self._weight, self._bias, padding=self._weight.shape[-1] // 2)
        image = to_image(functional.pixel_shuffle(pixels, self._patch)[0])
        scale = SIDE / max(image.size)
        return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.BICUBIC)


def _map(parts: Parts, entry: Entry) -> tuple[Tensor, Tensor]:
    if entry.folder and (entry.folder / FILE).is_file():
        fitted = load_file(entry.folder / FILE)
        return fitted["weight"], fitted["bias"]
    channels = parts.unet.config.in_channels
    if channels == 4 and parts.sdxl:
        return _pointwise(torch.tensor(_SDXL)), torch.tensor(_SDXL_BIAS)
    if channels == 4:
        return _pointwise(torch.tensor(_SD)), torch.zeros(3)
    return _pointwise(0.5 * torch.eye(channels, 3)), torch.zeros(3)


def _pointwise(factors: Tensor) -> Tensor:
    """(C, 3) -> (3, C, 1, 1)."""
    return factors.T.contiguous().view(3, -1, 1, 1)
