"""Uploads: everything a person may drop gives the right picture or one clear sentence."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipelines.errors import BadUpload
from studio import limits
from studio.formats.pictures import decode, decode_picture


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(side: int = 60_000) -> bytes:
    """A PNG of a few bytes that says it has 3.6 thousand million pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


RED = Image.new("RGB", (40, 30), (250, 5, 5))
BAD = {
    "text": (b"hello, I am a text file", "a text file"),
    "empty": (b"", "an empty file"),
    "truncated": (encoded(Image.effect_noise((200, 200), 90))[:5000], "damaged or cut-off"),
    "header only": (encoded(RED)[:30], "damaged or cut-off"),
    "bomb": (bomb(), "far too many pixels"),
    "large": (bomb(9_000), "9,000 × 9,000 pixels"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
    "pdf": (b"%PDF-1.7 ...", "a PDF"),
    "zip": (b"PK\x03\x04....", "a zip archive"),
    "tiff": (encoded(RED, "TIFF"), "a TIFF"),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(64), "an AVIF, HEIC or video file"),
    "noise": (bytes(range(128, 256)) * 8, "of an unknown kind"),
    "too long": (b"\x89PNG" + bytes(limits.UPLOAD_BYTES), "a file of 20.0 MB"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_get_one_sentence(name):
    data, said = BAD[name]
    with pytest.raises(BadUpload, match=r"^picture: got .*, allowed is a PNG, JPEG, WebP, GIF or BMP") as caught:
        decode_picture(data)
    assert said in str(caught.value)
    assert "/" not in str(caught.value)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_allowed_formats(format):
    image = decode_picture(encoded(RED, format))
    assert (image.mode, image.size) == ("RGB", (40, 30))
    assert np.abs(np.asarray(image, float) - (250, 5, 5)).max() < 12


def test_animation_gives_its_first_frame_and_says_so():
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue", "green")]
    for format in ("GIF", "WEBP", "PNG"):
        found = decode(encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=50))
        assert found.image.getpixel((5, 5))[0] > 240
        assert found.notes == ["Of the animation, the first frame is used."]


def test_cmyk_becomes_rgb():
    found = decode(encoded(Image.new("CMYK", (40, 30), (0, 255, 255, 0)), "JPEG"))
    assert found.image.getpixel((5, 5)) == pytest.approx((255, 0, 0), abs=12)
    assert found.notes == ["CMYK became RGB."]


def test_sixteen_bits_are_scaled_not_clipped():
    grey = Image.fromarray(np.full((30, 40), 0x8080, np.uint16))
    found = decode(encoded(grey))
    assert found.image.getpixel((5, 5)) == (128, 128, 128)
    assert found.notes == ["16 bits a channel became 8."]


def test_transparency_becomes_white():
    clear = Image.new("RGBA", (40, 30), (0, 0, 255, 0))
    palette = clear.quantize()
    for image in (clear, palette):
        found = decode(encoded(image))
        assert found.image.getpixel((5, 5)) == (255, 255, 255)
        assert found.notes == ["Transparent parts became white."]


def test_exif_orientation_is_applied():
    image = Image.new("RGB", (40, 30), "white")
    image.paste((255, 0, 0), (0, 0, 20, 15))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise
    upright = decode_picture(encoded(image, "JPEG", exif=exif, quality=95))
    assert upright.size == (30, 40)
    assert upright.getpixel((25, 3))[1] < 60


def test_one_bit_and_grey():
    assert decode_picture(encoded(Image.new("1", (40, 30), 1))).getpixel((5, 5)) == (255, 255, 255)
    assert decode_picture(encoded(Image.new("L", (40, 30), 77))).getpixel((5, 5)) == (77, 77, 77)


@given(st.binary(max_size=300), st.integers(0, 10_000))
def test_damaged_files_never_raise_anything_else(junk, at):
    """Any bytes, and a real picture with any bytes in its middle."""
    whole = encoded(RED, "WEBP")
    for data in (junk, whole[: at % len(whole)] + junk + whole[at % len(whole) :]):
        with contextlib.suppress(BadUpload):
            decode_picture(data)
