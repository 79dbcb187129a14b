"""Uploaded pictures, decoded safely: what is wrong is said in one sentence, before memory is taken."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from PIL import Image, ImageOps, UnidentifiedImageError

from pipelines.colours import rgb
from pipelines.errors import BadUpload
from studio import limits

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")  # JPEG: also with more pictures behind it (MPO)
ALLOWED = (
    f"a PNG, JPEG, WebP, GIF or BMP picture of at most {limits.UPLOAD_BYTES // limits.MIB} MB "
    f"and {limits.UPLOAD_PIXELS // 10**6} million pixels"
)


DAMAGED = "a damaged or cut-off file"
_STARTS = {
    b"\x89PNG": DAMAGED,
    b"\xff\xd8\xff": DAMAGED,
    b"RIFF": DAMAGED,
    b"GIF8": DAMAGED,
    b"%PDF": "a PDF",
    b"PK": "a zip archive",
    b"II*\0": "a TIFF",
    b"MM\0*": "a TIFF",
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture in sRGB, upright, 8 bits a channel, and what had to be changed to get it, as sentences."""

    image: Image.Image
    notes: list[str] = field(default_factory=list)


def decode_picture(data: bytes) -> Image.Image:
    """The RGB picture in an uploaded file; raises BadUpload."""
    return decode(data).image


def decode(data: bytes) -> Decoded:
    """Like `decode_picture`, with notes. The header is checked first: size and format, then pixels are read."""
    if len(data) > limits.UPLOAD_BYTES:
        raise _bad(f"a file of {len(data) / limits.MIB:,.1f} MB")
    with sentences(data):
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
        if width * height > limits.UPLOAD_PIXELS or max(width, height) > limits.UPLOAD_LENGTH:
            raise _bad(f"{width:,} × {height:,} pixels")
        notes = _frames(image)
        image.seek(0)
        image.load()
        return Decoded(rgb(ImageOps.exif_transpose(image), notes), notes)


def _frames(image: Image.Image) -> list[str]:
    """A note where there is more than one picture in the file: animations, and what phones add to a photograph."""
    if not getattr(image, "is_animated", False):
        return []
    if image.format == "MPO":
        return ["Of the pictures in the file, the first is used."]
    return ["Of the animation, the first frame is used."]


def fitted(image: Image.Image, side: int) -> Image.Image:
    """The picture, smaller where its longer side is over `side` pixels."""
    if max(image.size) <= side:
        return image
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)  # 1 × 20,000 has a width, too
    return image.resize((width, height), Image.Resampling.LANCZOS)


@contextmanager
def sentences(data: bytes) -> Iterator[None]:
    """Whatever a decoder raises becomes one sentence."""
    try:
        yield
    except BadUpload:
        raise
    except UnidentifiedImageError as error:
        raise _bad(_looks_like(data)) from error
    except Image.DecompressionBombError as error:
        raise _bad("far too many pixels") from error
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error … for a damaged file
        raise _bad(DAMAGED) from error


def _looks_like(data: bytes) -> str:
    if not data:
        return "an empty file"
    head = data[:512]
    for start, name in _STARTS.items():
        if head.startswith(start):
            return name
    if head[4:8] == b"ftyp":
        return "an AVIF, HEIC or video file"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError:
        return "a file of an unknown kind"
    return "an SVG drawing" if b"<svg" in head else "a text file"


def _bad(got: str) -> BadUpload:
    return BadUpload(f"picture: got {got}, allowed is {ALLOWED}.")


def thumbnail(image: Image.Image) -> bytes:
    """A WebP of at most `limits.THUMB_BYTES`: first less quality, then fewer pixels."""
    side = limits.THUMB_SIDE
    while True:
        small = fitted(image.convert("RGB"), side)
        for quality in (82, 60, 40):
            encoded = io.BytesIO()
            small.save(encoded, "WEBP", quality=quality)
            if encoded.tell() <= limits.THUMB_BYTES:
                return encoded.getvalue()
        side = side * 3 // 4
