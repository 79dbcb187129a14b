"""Pictures composed as they are learnt from: true to their captions, never held out, never twice the same."""

import dataclasses

import numpy as np
import pytest
import torch

from pipelines.training.corpus import scene_sampler, scenes
from pipelines.training.corpus.corpus import Corpus
from pipelines.training.data import batches


@pytest.fixture(scope="module")
def small(corpus) -> Corpus:
    sprites = np.stack([batches.shrink(s) for s in corpus.sprites])
    return dataclasses.replace(corpus, sprites=sprites)


def test_a_shrunk_sprite_keeps_its_colour_and_its_share(corpus):
    whole, shrunk = corpus.sprites[0], batches.shrink(corpus.sprites[0])
    assert shrunk.shape == (64, 64, 4)
    assert np.allclose(shrunk.mean((0, 1)), whole.mean((0, 1)), atol=1)
    assert tuple(shrunk[32, 32]) == (220, 30, 30, 255)


def test_a_small_picture_is_the_large_one_seen_from_afar(corpus, small):
    mixture = batches.Mixture(small)
    for scene in mixture.plan(np.random.default_rng(3), 12):
        large = scenes.render(scene, corpus).reshape(64, 4, 64, 4, 3).mean((1, 3))
        assert np.abs(scenes.render(scene, small, 64) - large).mean() < 6


def test_a_batch_holds_pictures_scenes_and_single_things(small):
    drawn = batches.Mixture(small).draw(np.random.default_rng(0), 40)
    assert drawn.pictures.shape == (40, 64, 64, 3)
    assert drawn.pictures.dtype == np.uint8
    for scene, thing in zip(drawn.scenes, drawn.first, strict=True):
        assert thing == (scene.placed[0].thing if scene.kind == "single" else -1)
    assert (drawn.first == -1).any()


def test_nothing_held_out_is_shown(small):
    kept_back = dataclasses.replace(small, training=np.array([True, True, True, False]))
    planned = batches.Mixture(kept_back, {"single": 1.0, "count": 0.0, "pair": 0.0, "between": 0.0}).plan(
        np.random.default_rng(1), 80
    )
    assert {s.placed[0].thing for s in planned} == {0, 1, 2}


def test_held_out_compositions_are_just_those_that_training_skips(corpus, monkeypatch):
    monkeypatch.setattr(scene_sampler, "unseen", lambda kind, keys: {"1f00", "1f01"} == set(keys))
    pairs = {}
    for held_out in (False, True):
        composer = scene_sampler.Composer(corpus, {"3d": 1.0}, {"pair": 1.0}, held_out=held_out)
        found = [composer.scene(np.random.default_rng(seed)) for seed in range(25)]
        pairs[held_out] = {frozenset(p.thing for p in scene.placed) for scene in found}
    assert pairs[True] == {frozenset({0, 1})}
    assert frozenset({0, 1}) not in pairs[False]


def test_variation_keeps_shape_and_range_and_differs_each_time():
    pixels = torch.rand(16, 3, 64, 64) * 2 - 1
    first, again, other = (batches.vary(pixels.clone(), np.random.default_rng(s)) for s in (1, 1, 2))
    assert first.shape == pixels.shape
    assert float(first.abs().max()) <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
