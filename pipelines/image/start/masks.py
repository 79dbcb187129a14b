"""Masks: white is where a picture may change."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional

from pipelines.errors import InvalidRequest

HALF = 128  # as diffusers: brighter than half is white
FINE = 8  # pixels a latent cell, of a grid that a stroke cannot slip through


def binary(mask: Image.Image) -> Image.Image:
    """0 or 255, nothing between."""
    return mask.convert("L").point([255 * (level >= HALF) for level in range(256)])


def opened(mask: Image.Image, size: tuple[int, int], notes: list[str]) -> Image.Image:
    """Black and white, in the picture's size. Strokes may come on a transparent layer. Raises InvalidRequest."""
    layered = mask.convert("RGBA")
    mask = binary(Image.alpha_composite(Image.new("RGBA", mask.size, "black"), layered))
    if mask.size != size:
        notes.append(f"The mask is {mask.width} x {mask.height}, the picture {size[0]} x {size[1]}: it was resized.")
        return resized(something(mask), size)
    return something(mask)


def resized(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """In that size, black and white. Strokes too thin to be left by half of a pixel are kept where they were."""
    found = binary(mask.resize(size, Image.Resampling.LANCZOS))
    if found.getbbox() or mask.getbbox() is None:
        return found
    white = torch.from_numpy(np.asarray(mask, dtype=np.float32))[None, None]
    return Image.fromarray(functional.adaptive_max_pool2d(white, (size[1], size[0]))[0, 0].to(torch.uint8).numpy())


def fitted(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """As `canvas.fitted` does it with the picture. Raises InvalidRequest where all that is white is cut off."""
    if mask.size == size:
        return something(mask)
    seen = mask.crop(_middle(mask.size, size))
    if something(mask) and seen.getbbox() is None:
        allowed = f"something white in the middle, which is what a picture of {size[0]} x {size[1]} shows"
        raise InvalidRequest("mask", "white only where the start picture is cut off", allowed)
    found = binary(ImageOps.fit(mask, size, Image.Resampling.LANCZOS))
    return found if found.getbbox() else resized(seen, size)


def _middle(whole: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The largest box of the shape of `size` in the middle of a picture; whole pixels."""
    scale = max(size[0] / whole[0], size[1] / whole[1])
    across, down = min(size[0] / scale, whole[0]), min(size[1] / scale, whole[1])
    left, top = (whole[0] - across) / 2, (whole[1] - down) / 2
    return int(left), int(top), math.ceil(left + across), math.ceil(top + down)


def something(mask: Image.Image) -> Image.Image:
    """The mask itself. Raises InvalidRequest where it is all black."""
    if mask.getbbox() is None:
        raise InvalidRequest("mask", "all black", "a mask with something white: there is nothing to do")
    return mask


def everything(mask: Image.Image) -> bool:
    """Whether all of it is white."""
    return mask.getextrema()[0] == 255


def softened(mask: Image.Image, blur: int) -> Image.Image:
    """Levels that rise from the mask's edge inwards over `blur` pixels, 0 wherever the mask is black.

    Inwards, so that what is not masked stays as it is to the last bit. Where the mask is thinner than twice the ramp,
    the ramp is as long as there is room for: a thin stroke still shows in its middle. Borders of the picture are no
    edges.
    """
    if not blur:
        return mask
    white = torch.from_numpy(np.asarray(mask, dtype=np.float32) / 255)[None]
    inside, depth = white, white.clone()
    for _ in range(blur):  # depth: pixels to the edge (as a king walks), at most blur + 1
        inside = -functional.max_pool2d(-inside, 3, 1, 1)
        depth += inside
    reach = 2 * blur + 1
    deepest = functional.max_pool2d(functional.max_pool2d(depth, (reach, 1), 1, (blur, 0)), (1, reach), 1, (0, blur))
    levels = white * (depth / deepest.clamp(min=1)).clamp(max=1)
    return Image.fromarray((levels[0] * 255).round().to(torch.uint8).numpy())


def on_latents(mask: Image.Image, factor: int) -> Tensor:
    """(1, 1, h, w) of 0 and 1, one for each latent cell of `factor` pixels a side.

    The pixel that diffusers takes (`interpolate`, nearest). Where cells are larger than FINE, or all white pixels fall
    between those, a cell changes where any of its pixels may: what should stay is pasted over the result anyway.
    """
    white = torch.from_numpy(np.asarray(mask, dtype=np.float32) / 255)[None, None]
    size = (mask.height // factor, mask.width // factor)
    nearest = functional.interpolate(white, size)
    if factor > FINE or not nearest.any():
        return functional.max_pool2d(white, factor)
    return nearest
