"""Phrases, windows, duplicates, the contest and the opening of pictures: for any input."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipelines.alignment import towers
from pipelines.alignment.phrases import phrases
from pipelines.errors import BadUpload
from pipelines.pictures import open_rgb
from studio.batches import duplicates


@given(st.text(max_size=200) | st.from_regex(r"(?:(?:a|the|red|cat|on|with|and|,|in front of|和|狗|sofa) ?){0,30}"))
def test_phrases_lie_in_order_inside_the_caption(caption):
    found = phrases(caption)
    for phrase in found:
        a, b = phrase.span
        assert caption[a:b] == phrase.text == phrase.text.strip() != ""
        assert phrase.core in phrase.text
        assert phrase.core
    assert all(one.span[1] <= two.span[0] for one, two in pairwise(found))


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a black cat sitting on a red sofa with two cushions, watercolour",
         ["a black cat sitting", "a red sofa", "two cushions", "watercolour"]),
        ("Two dogs in front of a house", ["Two dogs", "a house"]),
        ("a dog next to a cat and a bird", ["a dog", "a cat", "a bird"]),
        ("the sandwich is organised", ["the sandwich is organised"]),
        ("there is a cat", ["there is a cat"]),
        ("the, a cat", ["the, a cat"]),
        ("一只猫和一只狗，在草地上", ["一只猫", "一只狗", "在草地上"]),
        ("", []),
        (" ,. ", []),
    ],
)  # fmt: skip
def test_captions_are_split_where_another_thing_begins(caption, expected):
    assert [phrase.core for phrase in phrases(caption)] == expected


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), max_size=40), st.integers(1, 9))
def test_parts_of_a_long_text_fit_and_lose_nothing(pieces, room):
    text, offsets = "".join(pieces), []
    for piece in pieces:
        first = offsets[-1][1] if offsets else 0
        offsets.append((first, first + len(piece)))
    found = towers.windows(text, offsets, room)
    assert "".join("".join(found).split()) == "".join(text.split()) or len(offsets) <= room
    assert len(found) >= 1
    assert len(found) <= max(1, len(offsets))


def test_parts_end_at_sentences_and_words():
    text = "one two. three four five"
    offsets = [(0, 3), (4, 7), (7, 8), (9, 14), (15, 19), (20, 24)]
    assert towers.windows(text, offsets, 4) == ["one two.", "three four five"]
    assert towers.windows(text, offsets, 9) == [text]


def test_near_duplicates_are_found_in_groups():
    draw = np.random.default_rng(1)
    base = draw.normal(size=(5, 32))
    lines = np.concatenate([base, base[[1, 1, 3]] + draw.normal(scale=0.02, size=(3, 32))]).astype(np.float32)
    lines /= np.linalg.norm(lines, axis=1, keepdims=True)
    assert duplicates.near_groups(lines) == [[1, 5, 6], [3, 7]]
    assert duplicates.near_groups(lines[:5]) == []
    assert duplicates.near_groups(np.empty((0, 4), np.float32)) == []


def png(image: Image.Image, **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **how)
    return file.getvalue()


def test_a_very_thin_picture_is_cut_and_said_to_be():
    notes: list[str] = []
    assert open_rgb(png(Image.new("RGB", (1, 20_000))), notes).size == (1, 8)
    assert "very thin" in notes[0]
    assert open_rgb(png(Image.new("RGB", (100, 20))), notes).size == (100, 20)
    assert len(notes) == 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
def test_every_kind_of_pixel_becomes_rgb(mode):
    picture = open_rgb(png(Image.new(mode, (6, 4), 0)))
    assert (picture.mode, picture.size) == ("RGB", (6, 4))
    assert picture.getpixel((0, 0)) == ((255,) * 3 if mode in ("RGBA", "LA") else (0,) * 3)


NOISE = Image.fromarray(np.random.default_rng(1).integers(0, 255, (40, 40, 3), dtype=np.uint8))


@pytest.mark.parametrize("data", [b"", b"no picture", png(NOISE)[:2000], png(NOISE)[:30]], ids=len)
def test_what_is_no_picture_is_refused_in_a_sentence(data):
    with pytest.raises(BadUpload, match="cannot be read as a picture"):
        open_rgb(data)
