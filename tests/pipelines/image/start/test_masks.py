"""What is white in a mask counts, however small the picture is made; sizes that no model has can grow all the same."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipelines.errors import InvalidRequest
from pipelines.image import entry as checks
from pipelines.image.entry import ImageEntry
from pipelines.image.start import masks
from pipelines.image.start.canvas import prepared
from pipelines.requests import Margins
from tests.pipelines.support.image_requests import START, request

MASK = "b" * 64


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def masked(size: tuple[int, int], box: tuple[int, int, int, int]) -> dict[str, bytes]:
    mask = Image.new("L", size, 0)
    mask.paste(255, box)
    return {START: png(Image.new("RGB", size, "teal")), MASK: png(mask)}


@pytest.mark.parametrize("only", [False, True])
@pytest.mark.parametrize("box", [(250, 160, 253, 163), (250, 160, 251, 161), (0, 166, 501, 167), (250, 0, 251, 333)])
def test_a_small_stroke_is_left_when_the_picture_is_made_small(box: tuple, only: bool):
    asked = request(start_picture=START, mask=MASK, only_masked=only, mask_padding=0)
    canvas = prepared(asked, masked((501, 333), box), [])
    assert canvas.mask.size == (64, 64)
    assert canvas.mask.getbbox()
    assert canvas.mask.getextrema()[0] == 0 or only


def test_a_mask_of_which_the_crop_leaves_nothing_has_a_sentence_of_its_own():
    with pytest.raises(InvalidRequest, match="white only where the start picture is cut off', allowed is something"):
        prepared(request(start_picture=START, mask=MASK), masked((501, 333), (0, 0, 40, 333)), [])
    with pytest.raises(InvalidRequest, match="all black"):
        prepared(request(start_picture=START, mask=MASK), masked((501, 333), (0, 0, 0, 0)), [])


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 299), st.integers(0, 299),
       st.tuples(st.sampled_from([8, 64, 200]), st.sampled_from([8, 64, 200])))  # fmt: skip
def test_one_white_pixel_stays_or_is_said_to_be_cut_off(width: int, height: int, x: int, y: int, size: tuple):
    mask = Image.new("L", (width, height), 0)
    mask.putpixel((x % width, y % height), 255)
    assert masks.resized(mask, size).getbbox()
    try:
        assert masks.fitted(mask, size).getbbox()
    except InvalidRequest as error:
        refused = str(error)
    else:
        return
    assert "cut off" in refused


def test_a_picture_of_any_size_can_grow():
    files = {START: png(Image.new("RGB", (501, 333), "teal"))}
    notes: list[str] = []
    asked = request(start_picture=START, width=560, height=328, expand=Margins(left=64))
    canvas = prepared(asked, files, notes)
    assert canvas.start.size == (560, 328)
    assert canvas.mask.getbbox() == (0, 0, 64, 328)
    assert notes == ["The start picture was cut from 501 x 333 to 496 x 328."]
    with pytest.raises(InvalidRequest, match="560 x 328, which is the start picture, cut to multiples of 8, with its"):
        prepared(request(start_picture=START, width=1024, height=328, expand=Margins(left=64)), files, [])


@pytest.mark.parametrize("steps", range(1, 151))
def test_the_least_strength_that_is_named_is_taken(steps: int):
    entry = ImageEntry("sd", "sd", "folder")
    least = -(-100 // steps) / 100
    checks.check(entry, request(steps=steps, start_picture=START, strength=least))
    if least > 0.01:
        with pytest.raises(InvalidRequest, match=f"at least {least:.2f} with {steps} steps"):
            checks.check(entry, request(steps=steps, start_picture=START, strength=round(least - 0.01, 2)))
