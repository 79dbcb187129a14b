"""Things that lie apart are cut out one by one, and named together."""

from __future__ import annotations

import hashlib
import io
import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipelines.caption import vocabulary
from pipelines.caption.checking import recognition, segments
from pipelines.caption.models.blip import Blip
from pipelines.caption.pipeline import CaptionPipeline
from pipelines.catalog import folders
from tests.pipelines.caption.conftest import OPTIONS

RED, BLUE, GREEN = (220, 30, 30), (30, 60, 220), (20, 120, 40)
SKY = np.linspace((170, 200, 250), (240, 240, 255), 128)


def scene(*spots: tuple[int, int, tuple], size: tuple[int, int] = (128, 128), ground: object = "white") -> Image.Image:
    """Discs of 36 pixels at their centres."""
    if isinstance(ground, np.ndarray):
        picture = Image.fromarray(np.repeat(ground[:, None], size[0], 1).astype(np.uint8))
    else:
        picture = Image.new("RGB", size, ground)
    brush = ImageDraw.Draw(picture)
    for x, y, colour in spots:
        brush.ellipse((x - 18, y - 18, x + 18, y + 18), fill=colour)
    return picture


def middles(things: list[Image.Image]) -> list[tuple]:
    return [thing.getpixel((thing.width // 2, thing.height // 2)) for thing in things]


@pytest.mark.parametrize("ground", ["white", (80, 150, 230), (16, 16, 18), SKY], ids=["white", "blue", "black", "sky"])
def test_they_come_from_left_to_right_on_white_squares(ground):
    found = segments.things(scene((96, 60, GREEN), (30, 70, RED), ground=ground))
    assert middles(found) == [RED, GREEN]
    for thing in found:
        assert thing.width == thing.height == pytest.approx(40, abs=4)
        assert thing.getpixel((1, 1)) == (255, 255, 255)


def test_below_each_other_they_come_from_above_and_grass_is_no_thing():
    ground = SKY.copy()
    ground[90:] = (104, 180, 72)
    assert middles(segments.things(scene((60, 100, BLUE), (64, 30, RED), ground=ground))) == [RED, BLUE]


def test_a_wide_picture_is_cut_in_its_own_shape():
    red, blue = segments.things(scene((40, 50, RED), (200, 50, BLUE), size=(256, 100)))
    assert middles([red, blue]) == [RED, BLUE]
    assert red.width == red.height == pytest.approx(42, abs=6)


@pytest.mark.parametrize("spots", [
    [], [(64, 64, RED)], [(50, 64, RED), (80, 64, BLUE)],
    [(x, y, RED) for x, y in ((20, 20), (64, 20), (108, 20), (20, 90), (64, 90))],
], ids=["nothing", "one", "touching", "a pattern"])  # fmt: skip
def test_where_nothing_lies_apart_nothing_is_cut(spots):
    assert segments.things(scene(*spots)) == []


def test_sparks_and_noise_are_no_things():
    picture = scene((30, 64, RED), (96, 64, BLUE))
    picture.putpixel((64, 10), (0, 0, 0))
    assert len(segments.things(picture)) == 2
    noise = np.random.default_rng(1).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    assert segments.things(Image.fromarray(noise)) == []


@pytest.mark.parametrize(
    ("each", "told"),
    [
        ((0, 0), "two cats"),
        ((0, 1, 0), "two cats and a tree"),
        ((1, 0, 1, 1), "three trees and a cat"),
        ((0, 1), "a cat and a tree"),
        ((2, 2), ""),
        ((2, 2, 0), "grapes and a cat"),
    ],
)
def test_several_of_one_thing_arecounted(each, told):
    things = vocabulary.Names(("a cat", "a tree", "grapes"), ("cat", "tree", "grapes"), ("cats", "trees", ""))
    assert recognition.counted(things, each) == told


def test_things_apart_are_all_named_in_the_first_caption(tmp_path, opened, ask, run, uploads):
    names = ("a grey cat", "two fish", "a hat", "a red ball", "the sea", "green", "sky", "a dog", "house", "star")
    folder = tmp_path / "naming"
    shutil.copytree(opened("blip").entry.folder, folder)
    (folder / "vocabulary.txt").write_text("\n".join(names), "utf-8")
    pipeline = CaptionPipeline(Blip(folders.read("naming", folder, "folder"), OPTIONS), opened("blip")._align)
    alignment, told = pipeline._align().alignment, set()
    for colours in np.random.default_rng(2).integers(0, 200, (8, 2, 3)).tolist():
        picture = scene((30, 64, tuple(colours[0])), (96, 64, tuple(colours[1])))
        file = io.BytesIO()
        picture.save(file, "PNG")
        sha = hashlib.sha256(file.getvalue()).hexdigest()
        uploads[sha] = file.getvalue()
        try:
            (state,) = run(pipeline, ask(0, verify=True).model_copy(update={"picture": sha}))
            info = pipeline.finish(state).info
        finally:
            del uploads[sha]
        parts = segments.things(state.picture)
        looks = np.stack([alignment.embed_images(segments.framed(part)).mean(0) for part in parts])
        one, other = (names[i] for i in (looks @ alignment.embed_texts(names).T).argmax(-1))
        told.add(one != other)
        assert (info["caption"] == f"{one} and {other}") == (one != other)
        best = info["candidates"][0]
        assert best["score"] is not None
        if one != other:  # each phrase is looked for in the whole picture and in each thing
            seen = [alignment.embed_images([state.picture])[0], *(looks / np.linalg.norm(looks, axis=1)[:, None])]
            every = alignment.agreements(np.stack(seen), [best["text"]] * 3)
            most = [max(scores) for scores in zip(*([one.score for one in some] for some in every), strict=True)]
            assert [phrase["score"] for phrase in best["phrases"]] == pytest.approx(most, abs=1e-3)
    assert True in told  # else nothing was tried
