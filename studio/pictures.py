"""Uploaded pictures, decoded safely: what is wrong is said in one sentence, before memory is taken."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from PIL import Image, ImageOps, UnidentifiedImageError

from pipelines.errors import BadUpload
from studio import limits

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
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
    """An RGB picture, upright, 8 bits a channel, and what had to be changed to get it, as sentences."""

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
        if width * height > limits.UPLOAD_PIXELS:
            raise _bad(f"{width:,} × {height:,} pixels")
        notes = ["Of the animation, the first frame is used."] if getattr(image, "is_animated", False) else []
        image.seek(0)
        image.load()
        upright = ImageOps.exif_transpose(image)
        return Decoded(_rgb(upright, notes), notes)


def fitted(image: Image.Image, side: int) -> Image.Image:
    """The picture, smaller where its longer side is over `side` pixels."""
    if max(image.size) <= side:
        return image
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)  # 1 × 20,000 has a width, too
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits: `convert` would clip instead of scaling
        notes.append("16 bits a channel became 8.")
        return image.convert("I").point(lambda value: value / 257).convert("L").convert("RGB")
    if image.mode == "CMYK":
        notes.append("CMYK became RGB.")
        return image.convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        if rgba.getchannel("A").getextrema()[0] == 255:  # a canvas gives one also where nothing is transparent
            return rgba.convert("RGB")
        notes.append("Transparent parts became white.")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


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
