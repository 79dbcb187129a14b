"""The one small interface that every voice has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

Samples = np.ndarray  # float32, mono, (n,), in -1…1


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the spoken text and when it is heard, in seconds from the beginning of its samples."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a voice made of a text. words: only from voices that know their own durations; nobody guesses here."""

    samples: Samples
    words: list[Word] = field(default_factory=list)


class Voice(Protocol):
    """A model that speaks. Nothing is kept between two calls but weights.

    name: the model's id. voices: the names that `speak` takes; the first is the default. languages: BCP 47.
    sample_rate: Hz. nbytes: memory of the weights. longest: characters that it speaks well in one go.
    blends: takes "a(2)+b(1)". clones: takes `sample`, float32 mono at `sample_rate`.
    """

    name: str
    voices: tuple[str, ...]
    languages: tuple[str, ...]
    sample_rate: int
    nbytes: int
    longest: int
    blends: bool
    clones: bool

    def missing(self, voice: str) -> int: ...  # steps that `fetch` takes; 0: it is here

    # A step at a time, or False where that step has to be waited for; ModelUnavailable with one sentence
    def fetch(self, voice: str) -> Iterator[bool]: ...

    def speak(
        self, text: str, voice: str, speed: float, *, seed: int | None = None, sample: Samples | None = None
    ) -> Spoken: ...


class Ready:
    """For voices that are whole once they are open."""

    def missing(self, voice: str) -> int:
        return 0

    def fetch(self, voice: str) -> Iterator[bool]:
        yield from ()
