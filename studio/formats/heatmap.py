"""A heat map as a picture that is laid over the one it belongs to: warm where the words fit, dark where they do not."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

SIDE = 320  # pixels of the longer side
CONTRAST = 3  # patches of one picture differ little; so the best of them are seen
VEIL, WARM = 0.5, (255, 148, 20)  # how much of the picture it hides; its colour where the words fit best


def overlay(values: np.ndarray, view: Sequence[float], size: tuple[int, int]) -> str:
    """A PNG as a data URI, in the shape of the picture.

    values: (height, width) in 0…1; view: the part of the picture that they are of, left, top, right, bottom in 0…1;
    size: of the picture. What the model did not see is not veiled.
    """
    scale = SIDE / max(size)
    width, height = (max(1, round(length * scale)) for length in size)
    left, top, right, bottom = (round(part * length) for part, length in zip(view, (width, height) * 2, strict=True))
    inside = (max(1, right - left), max(1, bottom - top))
    warm = np.asarray(
        Image.fromarray((values**CONTRAST).astype(np.float32)).resize(inside, Image.Resampling.BICUBIC)
    ).clip(0, 1)
    pixels: np.ndarray = np.zeros((height, width, 4), np.uint8)
    part = pixels[top : top + inside[1], left : left + inside[0]]
    part[..., :3] = (warm[..., None] * WARM).round()[: part.shape[0], : part.shape[1]]
    part[..., 3] = round(255 * VEIL)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
