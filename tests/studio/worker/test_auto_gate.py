"""The gate that turns to what is being drowned, and how well a picture agrees with each part."""

import io

import pytest
from PIL import Image

from studio.worker.messages import Finished
from studio.worker.runner.auto_gate import LEAN, LIMITS, looks, moved
from tests.studio.support.runner_bench import Bench

BRIGHT, DARK = "a" * 64, "b" * 64


def png(level):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (level,) * 3).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    bench.pictures.update({BRIGHT: png(255), DARK: png(0)})
    return bench


def part(picture, role="what"):
    return {"role": role, "picture": picture}


def gate(bench, prompt, *parts, **fields):
    job = bench.submit(prompt, parts=parts, **{"auto_gate": True, "steps": 10} | fields)
    bench.run()
    made = bench.fate(job)
    assert isinstance(made, Finished)
    return made.info["gate"]


def test_the_gate_turns_to_the_one_that_is_drowned(bench):
    assert gate(bench, "heard=0.9", part(DARK)) > 0.6
    assert gate(bench, "heard=0.1", part(BRIGHT)) < 0.4
    assert gate(bench, f"heard={LEAN}", part(DARK)) == pytest.approx(0.5)


def test_nobody_turns_it_who_was_not_asked(bench):
    assert gate(bench, "heard=0.9", part(DARK), auto_gate=False) == 0.5
    assert gate(bench, "score=0.9", part(DARK)) == 0.5  # this pipeline has nothing to weigh there


def test_what_says_not_and_where_to_begin_is_not_to_be_heard(bench):
    assert gate(bench, "heard=0.9", part(DARK), part(BRIGHT, "not"), part(BRIGHT, "where")) > 0.6


def test_an_alignment_that_cannot_look_leaves_the_gate_as_it_is(bench, caplog):
    assert gate(bench, "heard=broken", part(DARK)) == 0.5
    assert gate(bench, "heard=0.9", part("c" * 64)) == 0.5  # that picture is gone
    assert "could not convert" in caplog.text


def test_it_is_looked_at_early():
    assert looks(20) == {4, 8}
    assert looks(4) == {1, 2}
    assert looks(2) == {1}
    assert looks(1) == set()


@pytest.mark.parametrize("texts", [0.0, 0.3, 0.8, 1.0])
def test_a_gate_moves_towards_the_weaker_and_stays_in_bounds(texts):
    for at in (0.0, 0.1, 0.5, 0.9, 1.0):
        for pictures in (0.0, 0.5, 1.0):
            now = moved(at, texts, pictures)
            assert min(at, LIMITS[0]) <= now <= max(at, LIMITS[1])
            assert now >= at if texts - pictures > LEAN else now <= at
            assert now != at or not LIMITS[0] < at < LIMITS[1]
    assert moved(0.5, LEAN + 0.2, 0.2) == pytest.approx(0.5)


def test_every_part_has_its_agreement(bench):
    parts = [{"text": "heard=0.25"}, part(BRIGHT), {"text": "heard=0.75", "role": "not"}, part(DARK, "where")]
    job = bench.submit("score=0.5 heard=0.5", parts=parts, steps=1)
    bench.run()
    # the words of the whole are one text to the judge, and the last wish counts there
    assert bench.fate(job).info["agreement"] == [
        {"part": -1, "score": 0.5, "cosine": 0.125},
        {"part": 0, "score": 0.25, "cosine": 0.0625},
        {"part": 2, "score": 0.75, "cosine": 0.1875},
        {"part": 1, "score": 1.0, "cosine": 0.25},
        {"part": 3, "score": 0.0, "cosine": 0.0},
    ]


def test_a_picture_that_was_deleted_meanwhile_is_left_out(bench):
    job = bench.submit("score=0.5 heard=0.5", parts=[part("c" * 64), part(BRIGHT)], steps=1)
    bench.run()
    assert [each["part"] for each in bench.fate(job).info["agreement"]] == [-1, 1]


def test_plain_pictures_have_no_agreement_by_part(bench):
    job = bench.submit("score=0.5", steps=1)
    bench.run()
    assert "agreement" not in bench.fate(job).info
