"""What is done to the samples of a chunk so that chunks can be laid end to end: no silence, no click, no NaN."""

from __future__ import annotations

from functools import lru_cache
from math import isfinite

import numpy as np

from pipelines.errors import NotFinite
from pipelines.speech.voice import Samples, Spoken, Word

FULL = 32767
_QUIET = 10 ** (-48 / 20)  # of the loudest 10 ms: below it is silence (rooms of recordings included)
_LEAD, _TAIL, _FADE = 0.012, 0.030, 0.004  # seconds of silence kept before and after; of fading in and out
A_SECOND, WHOLE = 20, 200  # parts of a second of a piece; parts of a whole sound


def tidy(spoken: Spoken, rate: int) -> Spoken:
    """Without the silence around it, faded in and out, within -1…1; words move along. Raises NotFinite.

    A voice's own silence differs from sentence to sentence; the pauses between chunks are the plan's. The samples are
    changed where they lie, unless they are read-only: fresh memory for each sentence costs more than the work on it.
    """
    samples = np.require(spoken.samples, np.float32, "W").reshape(-1)
    energies = _energies(samples, rate)
    if not isfinite(loudest := float(energies.max())):
        raise NotFinite("the voice gave broken sound (NaN)")
    start, end = _heard(energies > loudest * _QUIET**2, len(samples), rate)
    kept = samples[start:end]
    if (peak := max(kept.max(initial=0.0), -kept.min(initial=0.0))) > 1.0:
        kept /= peak
    _fade(kept, int(_FADE * rate))
    seconds = len(kept) / rate
    words = [_moved(word, start / rate, seconds) for word in spoken.words]
    return Spoken(kept, words)


def pcm(samples: Samples, before: int = 0, after: int = 0) -> np.ndarray:
    """int16, with so many samples of silence around them."""
    whole: np.ndarray = np.zeros(before + len(samples) + after, "<i2")
    loud: np.ndarray = samples * FULL
    whole[before : before + len(samples)] = np.rint(loud, out=loud)
    return whole


def _energies(samples: Samples, rate: int) -> np.ndarray:
    """The sum of squares of each 10 ms, the last of them shorter; not finite where a sample is not."""
    window = max(rate // 100, 1)
    whole = len(samples) // window * window
    rows, rest = samples[:whole].reshape(-1, window), samples[whole:]
    energies: np.ndarray = np.empty(len(rows) + 1, np.float32)
    np.einsum("ij,ij->i", rows, rows, out=energies[:-1])
    energies[-1] = np.dot(rest, rest)
    return energies


def _heard(loud: np.ndarray, samples: int, rate: int) -> tuple[int, int]:
    """The span from the first to the last 10 ms that are loud (one truth value each), with a little around them."""
    loud = np.flatnonzero(loud)
    if not len(loud):
        return 0, 0
    window, lead, tail = max(rate // 100, 1), int(_LEAD * rate), int(_TAIL * rate)
    return max(int(loud[0]) * window - lead, 0), min(int(loud[-1] + 1) * window + tail, samples)


def _fade(samples: Samples, length: int) -> None:
    """Raised cosine at both ends, in place."""
    length = min(length, len(samples) // 2)
    ramp = _ramp(length)
    samples[:length] *= ramp
    samples[len(samples) - length :] *= ramp[::-1]


@lru_cache(maxsize=16)
def _ramp(length: int) -> np.ndarray:
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(length, 1))).astype(np.float32)


def _moved(word: Word, by: float, seconds: float) -> Word:
    start = min(max(word.start - by, 0.0), seconds)
    return Word(word.text, start, min(max(word.end - by, start), seconds))


def of_piece(pcm: np.ndarray, rate: int) -> list[float]:
    """One number, 0…1, for each twentieth of a second of 16 bit samples."""
    return _loudest(pcm, max(rate // A_SECOND, 1))


class Outline:
    """At most WHOLE numbers for blocks of 16 bit samples, `samples` in all; the loudest is 1."""

    def __init__(self, samples: int):
        self._size = max(-(-samples // WHOLE), 1)
        self._held: np.ndarray = np.zeros(0, np.int16)
        self._peaks: list[float] = []

    def add(self, block: np.ndarray) -> None:
        held = np.concatenate([self._held, block])
        whole = len(held) // self._size * self._size
        self._peaks += _loudest(held[:whole], self._size)
        self._held = held[whole:]

    def close(self) -> list[float]:
        peaks = self._peaks + _loudest(self._held, self._size)
        most = max(peaks, default=0.0) or 1.0
        return [round(peak / most, 3) for peak in peaks]


def _loudest(samples: np.ndarray, size: int) -> list[float]:
    if not len(samples):
        return []
    starts = np.arange(0, len(samples), size)
    lowest = np.minimum.reduceat(samples, starts).astype(np.int32)  # so that −32768 has an opposite
    return np.round(np.maximum(np.maximum.reduceat(samples, starts), -lowest) / 32768, 3).tolist()
