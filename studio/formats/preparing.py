"""A picture that came in, as it is kept: a PNG that models see, and a small one that people see. Plain values only."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict, dataclass

from PIL import Image

from studio.formats.pictures import decode, fitted, thumbnail


@dataclass(frozen=True, slots=True)
class Prepared:
    """width, height: in pixels as it came, upright; kept: those of the PNG. small: WebP, or empty."""

    sha256: str
    png: bytes
    small: bytes
    format: str
    width: int
    height: int
    kept: tuple[int, int]
    notes: list[str]


def prepare(data: bytes, side: int, small: bool = False) -> dict:
    """The fields of `Prepared`. side: pixels that the PNG has at most, each way. Raises BadUpload."""
    decoded = decode(data)
    with Image.open(io.BytesIO(data)) as image:
        kind = str(image.format).lower()
    kept = fitted(decoded.image, side)
    name, png = named(kept)
    little = thumbnail(decoded.image) if small else b""
    return asdict(Prepared(name, png, little, kind, *decoded.image.size, kept.size, decoded.notes))


def named(image: Image.Image) -> tuple[str, bytes]:
    """SHA-256 of the picture, and its PNG."""
    encoded = io.BytesIO()
    image.save(encoded, "PNG", compress_level=3)
    return hashlib.sha256(image.tobytes() + repr(image.size).encode()).hexdigest(), encoded.getvalue()
