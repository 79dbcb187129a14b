"""What the denoiser is shown oftener."""

import numpy as np
import pytest

from pipelines.training.corpus import frequencies
from pipelines.training.corpus.corpus import Thing
from pipelines.training.models.image import denoiser

FREQUENCY = {"cat": 5.1, "dog": 5.2, "octopus": 3.3}


def thing(name):
    return Thing(name, name, "", (), (), 3, 0, 1.0)


def test_common_words_weigh_more_and_a_word_has_one_look():
    things = [thing(n) for n in ("cat", "cat face", "octopus", "man in tuxedo")]
    cat, face, octopus, tuxedo = frequencies.worth(things, lambda word: FREQUENCY.get(word, 0.0))
    assert face > octopus > tuxedo > cat


def test_examples_follow_the_worth_of_their_things():
    rows = [{"style": "3d", "kind": "pair", "things": [0, 1]}, {"style": "3d", "kind": "pair", "things": [1, 1]}]
    assert denoiser.shares(rows, np.array([3.0, 1.0])) == pytest.approx([2 / 3, 1 / 3])
    assert denoiser.shares(rows) == pytest.approx([0.5, 0.5])
