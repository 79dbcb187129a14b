"""How often a thing should be shown: words that people use more often, and one look for one word.

A prompt is a common word more often than "man in tuxedo". And where a thing and its face share their everyday name
("cat": the cat, the cat's face), a mean of two looks is neither: the face, which is told from others at any size,
takes the word, and the whole animal is shown seldom.
"""

from collections.abc import Callable

import numpy as np

from pipelines.training.corpus.corpus import Thing
from pipelines.training.corpus.names import ALIASES

RARE, COMMON, MIDDLE = 2.0, 5.0, 3.5
SECOND_LOOK = 0.12


def zipf(word: str) -> float:
    """How often English uses a word: the log of its uses in a thousand million words, 0 when never."""
    from wordfreq import zipf_frequency  # the `train` extra

    return zipf_frequency(word, "en")


def commonness(thing: Thing, frequency: Callable[[str], float] = zipf) -> float:
    """0.35 to 2.8: twice as much for every ten times that the thing's commonest name is used oftener."""
    return rate(max(frequency(name) for name in (thing.en, *ALIASES.get(thing.en, []))))


def rate(frequency: float) -> float:
    """How often a word of this frequency (as `zipf`) is shown, beside others."""
    return 2.0 ** (min(max(frequency, RARE), COMMON) - MIDDLE)


def second_looks() -> set[str]:
    """Names of things that another thing, their face, bears as its everyday name."""
    return {alias for name, aliases in ALIASES.items() if name.endswith(" face") for alias in aliases}


def worth(things: list[Thing], frequency: Callable[[str], float] = zipf) -> np.ndarray:
    """How often each thing is shown, beside the others; float64 (T,)."""
    second = second_looks()
    return np.array([commonness(t, frequency) * (SECOND_LOOK if t.en in second else 1.0) for t in things])
