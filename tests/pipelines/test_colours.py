"""Colours are what the picture means: profiles, transparency, 16 bits; what is damaged does no harm."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from pipelines import pictures
from pipelines.colours import rgb
from pipelines.image.start.canvas import prepared
from studio.formats.pictures import decode
from tests.pipelines.support.image_requests import START, request
from tests.support import colour_profiles

CONVERTED = "The colours were converted from the picture's own profile to sRGB."
UNUSABLE = "The picture's colour profile cannot be used; its colours were taken as sRGB."
GREEN = (60, 200, 60)  # in Adobe RGB; what that is in sRGB was computed from the two definitions
SEEN = (0, 201, 37)


def encoded(image: Image.Image, profile: bytes | None, format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, icc_profile=profile, **options)
    return out.getvalue()


def colours(mode: str, value: object) -> Image.Image:
    return Image.new(mode, (16, 16), value)


ALIKE = {  # the same colour, kept in every way that a picture with a profile of that kind has
    "PNG": encoded(colours("RGB", GREEN), colour_profiles.adobe_rgb()),
    "JPEG": encoded(colours("RGB", GREEN), colour_profiles.adobe_rgb(), "JPEG", quality=100, subsampling=0),
    "WEBP": encoded(colours("RGB", GREEN), colour_profiles.adobe_rgb(), "WEBP", lossless=True),
    "opaque": encoded(colours("RGBA", (*GREEN, 255)), colour_profiles.adobe_rgb()),
    "palette": encoded(colours("RGB", GREEN).quantize(4), colour_profiles.adobe_rgb()),
    "MPO": encoded(colours("RGB", GREEN), colour_profiles.adobe_rgb(), "MPO", save_all=True, quality=100, subsampling=0,
                   append_images=[colours("RGB", "red")]),
}  # fmt: skip


@pytest.mark.parametrize("name", ALIKE)
def test_a_profile_is_used_wherever_a_picture_comes_in(name: str):
    """The stored picture, a start picture, and what is compared with texts."""
    data = ALIKE[name]
    found = decode(data)
    assert found.image.getpixel((5, 5)) == pytest.approx(SEEN, abs=3)
    assert CONVERTED in found.notes
    notes: list[str] = []
    canvas = prepared(request(start_picture=START, strength=0.9), {START: data}, notes)
    assert canvas.start.getpixel((5, 5)) == pytest.approx(SEEN, abs=3)
    assert CONVERTED in notes
    assert pictures.open_rgb(data).getpixel((5, 5)) == pytest.approx(SEEN, abs=3)


def test_what_is_stored_carries_no_profile_any_more():
    again = encoded(decode(ALIKE["PNG"]).image, None)
    assert "icc_profile" not in Image.open(io.BytesIO(again)).info
    assert decode(again).notes == []
    assert decode(again).image.getpixel((5, 5)) == decode(ALIKE["PNG"]).image.getpixel((5, 5))


def test_a_profile_of_srgb_changes_nothing():
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = decode(encoded(noise, own))
    assert found.notes == []
    assert found.image.tobytes() == noise.tobytes()


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_in_proportion_to_light(mode: str):
    """A fifth of the light is level 124 of sRGB."""
    found = decode(encoded(colours(mode, 51 if mode == "L" else (51, 255)), colour_profiles.linear_grey()))
    assert found.image.getpixel((5, 5)) == pytest.approx((124, 124, 124), abs=2)
    assert found.notes == [CONVERTED]


def test_sixteen_bits_with_a_profile():
    grey = Image.fromarray(np.full((16, 16), 51 * 257, np.uint16))
    found = decode(encoded(grey, colour_profiles.linear_grey()))
    assert found.image.getpixel((5, 5)) == pytest.approx((124, 124, 124), abs=2)
    assert found.notes == ["16 bits a channel became 8.", CONVERTED]


def test_the_inks_of_a_press():
    found = decode(encoded(colours("CMYK", (0, 0, 0, 0)), colour_profiles.inverted_cmyk(), "JPEG"))
    assert max(found.image.getpixel((5, 5))) < 12
    assert found.notes == ["CMYK became RGB.", CONVERTED]
    plain = decode(encoded(colours("CMYK", (0, 0, 0, 0)), None, "JPEG"))
    assert min(plain.image.getpixel((5, 5))) > 243


def test_transparency_with_a_profile():
    image = colours("RGBA", (*GREEN, 255))
    image.paste((0, 0, 0, 0), (0, 0, 8, 16))
    found = decode(encoded(image, colour_profiles.adobe_rgb()))
    assert found.image.getpixel((2, 5)) == (255, 255, 255)
    assert found.image.getpixel((12, 5)) == pytest.approx(SEEN, abs=2)
    assert found.notes == [CONVERTED, "Transparent parts became white."]


BROKEN = {
    "cut": colour_profiles.adobe_rgb()[:200],
    "noise": bytes(range(256)) * 4,
    "of a press": colour_profiles.inverted_cmyk(),
    "of grey": colour_profiles.linear_grey(),
    "Lab": ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
    "five megabytes": colour_profiles.adobe_rgb() + bytes(5 * 2**20),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_profile_that_cannot_be_used_does_no_harm(name: str):
    image = colours("RGB", GREEN)
    image.info["icc_profile"] = BROKEN[name]
    notes: list[str] = []
    found = rgb(image, notes)
    assert found.getpixel((5, 5)) == GREEN
    assert notes == [UNUSABLE]


@given(st.binary(max_size=60), st.integers(0, 600), st.sampled_from(["RGB", "L", "CMYK", "RGBA", "P", "1"]))
def test_any_profile_gives_a_picture(junk: bytes, at: int, mode: str):
    """Real profiles with any bytes in their middle."""
    for whole in (colour_profiles.adobe_rgb(), colour_profiles.inverted_cmyk(), colour_profiles.linear_grey()):
        image = Image.new(mode, (3, 2))
        image.info["icc_profile"] = whole[: at % len(whole)] + junk + whole[at % len(whole) + len(junk) :]
        found = rgb(image, [])
        assert (found.mode, found.size) == ("RGB", (3, 2))


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "I", "I;16", "F"]
)
def test_every_mode_becomes_rgb(mode: str):
    assert rgb(Image.new(mode, (3, 2)), []).mode == "RGB"
