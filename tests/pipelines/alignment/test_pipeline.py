"""Alignment as scheduled work: batched over requests, in steps, with maps and judgements."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from pipelines.alignment.model import AT_ONCE
from pipelines.errors import InvalidRequest
from pipelines.requests import AlignRequest
from tests.pipelines.alignment.conftest import FAMILIES
from tests.pipelines.alignment.test_helpers import png
from tests.support.rounding import assert_same_forward, assert_same_shares


@pytest.fixture(scope="module")
def uploads(images) -> dict[str, bytes]:
    files = [png(image) for image in images]
    return {hashlib.sha256(file).hexdigest(): file for file in files}


def finished(pipeline, *states):
    while waiting := [state for state in states if state.steps_left]:
        key = pipeline.batch_key(waiting[0])
        pipeline.step([state for state in waiting if pipeline.batch_key(state) == key])
    return [pipeline.finish(state) for state in states]


def test_requests_in_one_batch_get_what_they_get_alone(opened, uploads, images):
    pipeline, shas = opened("clip"), tuple(uploads)
    asked = [AlignRequest(texts=("a cat", "a dog")), AlignRequest(pictures=shas),
             AlignRequest(texts=("x",), pictures=shas[:2])]  # fmt: skip
    made = finished(pipeline, *(pipeline.prepare(request, uploads) for request in asked))
    for request, artifact in zip(asked, made, strict=True):
        vectors = np.frombuffer(artifact.data, "<f4").reshape(-1, artifact.info["dim"])
        read = pipeline.alignment.embed_texts(request.texts)
        seen = pipeline.alignment.embed_images([images[shas.index(sha)] for sha in request.pictures])
        assert_same_forward(vectors, np.concatenate([read, seen]))
        assert (artifact.info["texts"], artifact.info["pictures"]) == (len(request.texts), len(request.pictures))
    assert np.shape(made[2].info["scores"]) == (2, 1)


def test_many_texts_take_several_steps_so_that_nobody_waits_for_them(opened, uploads):
    pipeline = opened("clip")
    state = pipeline.prepare(AlignRequest(texts=tuple(f"text {i}" for i in range(AT_ONCE + 3))), uploads)
    assert (state.rows, state.steps_left) == (AT_ONCE, 2)
    (artifact,) = finished(pipeline, state)
    assert len(artifact.data) == (AT_ONCE + 3) * pipeline.alignment.dim * 4


def test_a_long_text_is_read_in_parts_and_said_to_be(opened, uploads):
    pipeline = opened("clip")
    state = pipeline.prepare(AlignRequest(texts=("a cat on a sofa, a dog beside it",)), uploads)
    assert "longer than the 12 tokens" in state.notes[0]
    parts = pipeline.alignment.towers.ids("a cat on a sofa, a dog beside it")
    assert all(len(part) <= 12 for part in parts)
    vectors = np.stack([pipeline.alignment.embed_ids([[part]])[0] for part in parts])
    mean = (vectors * np.array([[len(part)] for part in parts])).sum(0)
    (artifact,) = finished(pipeline, state)
    assert_same_forward(np.frombuffer(artifact.data, "<f4"), mean / np.linalg.norm(mean))


@pytest.mark.parametrize(("family", "side"), [("clip", 4), ("siglip", 4), ("siglip2", 16)])
def test_a_heat_map_lies_between_none_and_all(opened, uploads, family, side):
    pipeline = opened(family)
    request = AlignRequest(texts=("a cat",), pictures=tuple(uploads)[:2], heatmap=True)
    (artifact,) = finished(pipeline, pipeline.prepare(request, uploads))
    told = artifact.info["heatmap"]
    assert (told["width"], told["height"]) == (side, side)
    assert len(told["views"]) == 2
    values = np.frombuffer(artifact.data, "<f4").reshape(2, side, side)
    assert values.min() >= 0
    assert values.max() <= 1
    assert values.std() > 0


def test_the_model_sees_the_middle_of_what_is_not_square(opened):
    clip, siglip = opened("clip").alignment.towers, opened("siglip").alignment.towers
    assert clip.view(64, 64) == pytest.approx((0, 0, 1, 1))
    assert clip.view(90, 60) == pytest.approx((1 / 6, 0, 5 / 6, 1))
    assert clip.view(40, 160) == pytest.approx((0, 0.375, 1, 0.625))
    assert siglip.view(90, 60) == (0, 0, 1, 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_labels_of_ones_own_share_a_picture(opened, uploads, images, family):
    pipeline, words = opened(family), ("a cat", "{} brace", "a dog")
    request = AlignRequest(pictures=tuple(uploads)[:2], labels=words)
    (artifact,) = finished(pipeline, pipeline.prepare(request, uploads))
    assert np.abs(np.array(artifact.info["labels"]) - pipeline.alignment.label(images[:2], words)).max() < 1e-3
    assert np.shape(artifact.info["standing"]) == (2, 3)
    assert len(artifact.data) == 2 * pipeline.alignment.dim * 4


def test_captions_are_checked_pair_by_pair(opened, uploads, images):
    pipeline, texts = opened("clip"), ("a cat on a sofa", "")
    request = AlignRequest(pictures=tuple(uploads)[:2], texts=texts, check=True)
    (artifact,) = finished(pipeline, pipeline.prepare(request, uploads))
    first, empty = artifact.info["checked"]
    assert first["score"] == pytest.approx(float(pipeline.alignment.score(images[:1], texts[:1])[0]), abs=1e-4)
    assert [phrase["span"] for phrase in first["phrases"]] == [[0, 5], [6, 15]]
    assert empty["phrases"] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_judging_is_scoring_with_gaps(opened, images, family):
    alignment, pipeline = opened(family).alignment, opened(family)
    both, no_text, no_picture, nothing = pipeline.judge([images[0], images[1], None, None], ["a cat", " ", "dog", ""])
    assert_same_shares(both.score, alignment.score(images[:1], ["a cat"])[0])
    assert_same_forward(both.cosine, dict(alignment.rank(images[:1], "a cat"))[0])
    assert 0 <= both.score <= 1
    assert no_text.score is no_picture.score is nothing.score is nothing.cosine is None
    seen, read = alignment.embed_images([images[1]])[0], alignment.embed_texts(["dog"])[0]
    assert np.abs(np.frombuffer(no_text.vector, np.float16) - seen).max() < 1e-3
    assert np.abs(np.frombuffer(no_picture.vector, np.float16) - read).max() < 1e-3
    assert pipeline.judge([], []) == []


def test_phrases_get_a_share_and_a_mark(opened, images):
    found = opened("clip").alignment.agreement(images[0], "a cat on a sofa")
    assert [phrase.text for phrase in found] == ["a cat", "on a sofa"]
    assert all(0 <= phrase.score <= 1 and phrase.supported == (phrase.score >= 0.8) for phrase in found)
    assert opened("clip").alignment.agreement(images[0], "") == []


def test_rank_is_best_first(opened, images):
    order = opened("clip").alignment.rank(images, "a cat")
    assert sorted(i for i, _ in order) == [0, 1, 2, 3]
    assert [cosine for _, cosine in order] == sorted((cosine for _, cosine in order), reverse=True)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "texts"),
        ({"texts": ("a",), "heatmap": True}, "heatmap"),
        ({"pictures": ("0" * 64,)}, "pictures"),
        ({"texts": ("a",), "labels": ("b",)}, "labels"),
        ({"texts": ("a",), "check": True}, "check"),
    ],
)
def test_refusals_name_the_field(opened, uploads, fields, field):
    with pytest.raises(InvalidRequest) as refused:
        opened("clip").prepare(AlignRequest(**fields), uploads)
    assert refused.value.field == field
