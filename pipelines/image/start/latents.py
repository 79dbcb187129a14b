"""Latents: drawn as noise, made from a start picture, and decoded to a picture. Draws are diffusers', in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

if TYPE_CHECKING:
    from pipelines.image.model.parts import Parts


def generator(seed: int) -> torch.Generator:
    """On the CPU whatever the device, so that a seed means the same picture everywhere."""
    return torch.Generator("cpu").manual_seed(seed)


def noise(shape: tuple[int, ...], parts: Parts, draws: torch.Generator) -> Tensor:
    """`randn_tensor` of diffusers: drawn on the CPU in the model's dtype, then moved."""
    return torch.randn(shape, generator=draws, dtype=parts.dtype).to(parts.device)


def encoded(pixels: Tensor, parts: Parts, draws: torch.Generator | None) -> Tensor:
    """(1, 3, H, W), −1…1 -> what the encoder gives, (1, C, h, w): a sample, or without `draws` the most likely."""
    _tiled(parts, pixels.shape[-2] * pixels.shape[-1])
    coded = parts.vae.encode(pixels.to(parts.device, parts.vae.dtype))
    if not hasattr(coded, "latent_dist"):
        return coded.latents.to(parts.dtype)
    found = coded.latent_dist.mode() if draws is None else coded.latent_dist.sample(draws)
    return found.to(parts.dtype)


def to_tensor(image: Image.Image) -> Tensor:
    """(1, 3, H, W), −1…1."""
    values = np.asarray(image, dtype=np.float32) / 255.0
    return 2.0 * torch.from_numpy(values).permute(2, 0, 1).unsqueeze(0) - 1.0


def decode(latents: Tensor, parts: Parts) -> tuple[Image.Image, bool]:
    """latents (1, C, h, w) -> the picture, and whether all of its numbers are finite."""
    _tiled(parts, latents.shape[-2] * latents.shape[-1] * parts.factor**2)
    pixels = parts.vae.decode(denormalise(latents.to(parts.vae.dtype), parts.vae), return_dict=False)[0]
    return to_image(pixels[0]), bool(pixels.isfinite().all())


def _tiled(parts: Parts, pixels: int) -> None:
    """Tiles for this picture, or not."""
    if hasattr(parts.vae, "use_tiling"):
        parts.vae.use_tiling = 0 < parts.tile_above < pixels


def to_image(pixels: Tensor) -> Image.Image:
    """(3, H, W), −1…1 -> picture."""
    values = (pixels.float() / 2 + 0.5).clamp(0, 1) * 255
    return Image.fromarray(values.round().to(torch.uint8).permute(1, 2, 0).cpu().numpy())


def normalise(found: Tensor, vae: Any) -> Tensor:
    """What the encoder gives -> what the UNet was trained on: unit variance."""
    mean, std = _statistics(found, vae)
    return (found - mean) * vae.config.scaling_factor / std


def denormalise(latents: Tensor, vae: Any) -> Tensor:
    """The other way round."""
    mean, std = _statistics(latents, vae)
    return latents * std / vae.config.scaling_factor + mean


def _statistics(like: Tensor, vae: Any) -> tuple[Any, Any]:
    """Mean and standard deviation a channel where the autoencoder has them (some SDXL models), else 0 and 1."""
    config = vae.config
    mean, std = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
    if mean is None or std is None:
        return 0.0, 1.0
    return like.new_tensor(mean).view(1, -1, 1, 1), like.new_tensor(std).view(1, -1, 1, 1)
