"""Pairs joined from halves, counts from quarters: told truly, and never a pair that is held out."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pipelines.training.corpus import captions
from pipelines.training.corpus.corpus import Corpus
from pipelines.training.data import couples
from pipelines.training.models.image import denoiser

STYLES = {"3d": 1.0}


class Letters:
    """Stands for the tokenizer: keeps the texts, gives their lengths as numbers."""

    def __init__(self):
        self.texts: list[str] = []

    def __call__(self, texts, **_):
        self.texts += texts
        return {"input_ids": torch.tensor([[len(text)] * couples.LENGTH for text in texts])}


def colours(pictures: torch.Tensor) -> torch.Tensor:
    """Stands for the encoder: mean colours of 8 x 8 cells in the first three of sixteen channels."""
    return F.pad(F.avg_pool2d(pictures, 32), (0, 0, 0, 0, 0, 13))


@pytest.fixture
def folder(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(Corpus, "open", lambda folder: corpus)
    monkeypatch.setattr(couples.frequencies, "worth", lambda things: np.ones(len(things)))
    couples.build(tmp_path, SimpleNamespace(encoder=colours), STYLES)
    return tmp_path


@pytest.fixture
def pairs(folder):
    return couples.Couples(folder, Letters(), STYLES)


def test_halves_are_those_of_the_two_things(pairs, corpus):
    plain = [row for row, (_, _, colour) in enumerate(pairs.rows) if colour is None]
    apple, cat = (row for row in plain if pairs.rows[row][0] in (0, 1))
    for relation, first, second in (("left", (4, 2), (4, 6)), ("above", (2, 4), (6, 4))):
        shown = pairs.joined(relation, apple, cat)[:3]
        assert shown.shape == (3, 8, 8)
        assert shown[0, *first] > shown[2, *first]  # red
        assert shown[2, *second] > shown[0, *second]  # blue


@pytest.mark.parametrize(
    ("name", "shown", "empty"),
    [
        ("two", [(4, 2), (4, 6)], []),
        ("three", [(2, 2), (2, 6), (6, 4)], [(6, 0), (6, 7)]),
        ("four", [(2, 2), (2, 6), (6, 2), (6, 6)], []),
    ],
)
def test_several_of_one_thing_lie_in_places_of_their_own(pairs, name, shown, empty):
    apple = next(row for row, (thing, _, colour) in enumerate(pairs.rows) if (thing, colour) == (0, None))
    picture = pairs.joined(name, *[apple] * len(couples.ARRANGED[name]))
    assert all(picture[0, *cell] > picture[2, *cell] + 0.2 for cell in shown)  # red
    assert all(picture[2, *cell] > 0.95 for cell in empty)  # white


def test_captions_tell_how_many(pairs):
    apple = next(row for row, (thing, _, colour) in enumerate(pairs.rows) if (thing, colour) == (0, None))
    for name, number in (("two", 2), ("three", 3), ("four", 4)):
        scene = pairs.scene(name, *[apple] * number)
        text = captions.unstyled(np.random.default_rng(1), scene, pairs.things)
        assert scene.kind == "count"
        assert text.split()[0] in (name, str(number))


def test_captions_tell_where_the_two_things_lie(pairs, monkeypatch):
    monkeypatch.setattr(couples, "CHINESE", 0.0)
    draw, told = np.random.default_rng(1), 0
    for _ in range(400):
        latents, text = pairs.example(draw)
        if " to the left of " in text and "red" not in text.split(" to the left of ")[1] and "red apple" in text:
            told += 1
            assert latents[0, 4, 2] > latents[2, 4, 2] or "blue" in text or "green" in text
    assert told


def test_a_pair_that_is_held_out_is_never_shown(pairs, monkeypatch):
    monkeypatch.setattr(couples.scenes, "unseen", lambda kind, keys: "1f00" in keys and kind == "pair")
    draw = np.random.default_rng(2)
    shown = {pairs.rows[row][0] for _ in range(100) for row in pairs.couple(draw)}
    assert shown == {1, 2, 3}


def test_two_things_are_never_the_same(pairs):
    draw = np.random.default_rng(3)
    both = [[pairs.rows[row][0] for row in pairs.couple(draw)] for _ in range(50)]
    assert all(first != second for first, second in both)


def test_a_second_build_changes_nothing(folder):
    before = (folder / "couples" / "couples.npy").stat().st_mtime_ns
    couples.build(folder, None, STYLES)
    assert (folder / "couples" / "couples.npy").stat().st_mtime_ns == before


def test_what_was_built_for_fewer_places_is_built_again(folder):
    file = folder / "couples" / "couples.npy"
    whole = np.load(file)
    np.save(file, whole[:4])
    couples.build(folder, SimpleNamespace(encoder=colours), STYLES)
    assert np.array_equal(np.load(file), whole)


def test_couples_take_their_share_of_a_batch(pairs):
    examples = object.__new__(denoiser.Examples)
    examples.couples, examples.paired, number = pairs, 0.25, 10
    examples.latents, examples.share = torch.full((number, 16, 8, 8), 9.0), np.linspace(0.1, 1, number)
    examples.english = torch.zeros(number, 1, couples.LENGTH)
    examples.chinese, examples.nothing = torch.zeros(number, couples.LENGTH), torch.zeros(couples.LENGTH)
    latents, ids, times = examples.batch(np.random.default_rng(1), 8)
    assert (latents.shape, ids.shape, times.shape) == ((8, 16, 8, 8), (8, couples.LENGTH), (8,))
    assert [bool((part == 9).all()) for part in latents] == [True] * 6 + [False] * 2
    assert (ids.sum(1) > 0).tolist() == [False] * 6 + [True] * 2
