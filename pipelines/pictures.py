"""Uploaded pictures as models want them: RGB, the right way up, none so large or so thin that it fills the memory."""

from __future__ import annotations

import io
from collections.abc import Mapping

from PIL import Image, ImageOps

from pipelines.colours import rgb
from pipelines.errors import BadUpload, InvalidRequest

MAX_PIXELS = 64_000_000
THINNEST = 8  # longer side ÷ shorter side; the rest is cut off evenly, as models look at (nearly) square pictures


def open_rgb(data: bytes, notes: list[str] | None = None) -> Image.Image:
    """The first frame as RGB, transparency over white. What was changed is added to `notes`. Raises BadUpload."""
    try:
        image = Image.open(io.BytesIO(data))
        if image.width * image.height > MAX_PIXELS:
            raise BadUpload(f"picture: got {image.width} x {image.height}, allowed is {MAX_PIXELS:,} pixels.")
        image.load()
        return slender(rgb(ImageOps.exif_transpose(image), []), notes if notes is not None else [])
    except BadUpload:
        raise
    except Exception as error:  # whatever a decoder says of a damaged file
        raise BadUpload("The file cannot be read as a picture.") from error


def slender(image: Image.Image, notes: list[str]) -> Image.Image:
    """The middle of a picture that is thinner than THINNEST: its full height at a model's width could be gigabytes."""
    width, height = image.size
    longest = THINNEST * min(width, height)
    if max(width, height) <= longest:
        return image
    notes.append(f"The picture is very thin ({width} x {height}); only its middle was looked at.")
    left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
    return image.crop((left, top, left + min(width, longest), top + min(height, longest)))


def given(pictures: Mapping[str, bytes], sha: str, field: str) -> bytes:
    """The stored file. Raises InvalidRequest where it is not there (any more)."""
    if sha not in pictures:
        raise InvalidRequest(field, sha, "a picture that was uploaded before")
    return pictures[sha]


def open_upload(data: bytes, name: str) -> Image.Image:
    """The picture, the right way up. Raises BadUpload."""
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except Exception as error:
        raise BadUpload(f"The {name} cannot be read as a picture.") from error
    return ImageOps.exif_transpose(image)
