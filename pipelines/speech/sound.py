"""What is done to the samples of a chunk so that chunks can be laid end to end: no silence, no click, no NaN."""

from __future__ import annotations

import numpy as np

from pipelines.errors import NotFinite
from pipelines.speech.voice import Samples, Spoken, Word

FULL = 32767
_QUIET = 10 ** (-48 / 20)  # of the loudest 10 ms: below it is silence (rooms of recordings included)
_LEAD, _TAIL, _FADE = 0.012, 0.030, 0.004  # seconds of silence kept before and after; of fading in and out


def tidy(spoken: Spoken, rate: int) -> Spoken:
    """Without the silence around it, faded in and out, within -1…1; words move along. Raises NotFinite.

    A voice's own silence differs from sentence to sentence; the pauses between chunks are the plan's.
    """
    samples = np.asarray(spoken.samples, np.float32).reshape(-1)
    energies = _energies(samples, rate)
    if not np.isfinite(energies).all():
        raise NotFinite("the voice gave broken sound (NaN)")
    start, end = _heard(energies, len(samples), rate)
    kept = samples[start:end].copy()
    if (peak := max(kept.max(initial=0.0), -kept.min(initial=0.0))) > 1.0:
        kept /= peak
    _fade(kept, int(_FADE * rate))
    seconds = len(kept) / rate
    words = [_moved(word, start / rate, seconds) for word in spoken.words]
    return Spoken(kept, words)


def pcm(samples: Samples) -> bytes:
    """16 bit little-endian."""
    return np.rint(samples * FULL).astype("<i2").tobytes()


def silence(seconds: float, rate: int) -> bytes:
    """That many seconds, rounded to whole samples, as `pcm`."""
    return bytes(2 * round(seconds * rate))


def _energies(samples: Samples, rate: int) -> np.ndarray:
    """The sum of squares of each 10 ms, the last of them shorter; not finite where a sample is not."""
    window = max(rate // 100, 1)
    whole = len(samples) // window * window
    rows, rest = samples[:whole].reshape(-1, window), samples[whole:]
    return np.append(np.einsum("ij,ij->i", rows, rows), np.dot(rest, rest))


def _heard(energies: np.ndarray, samples: int, rate: int) -> tuple[int, int]:
    """The span from the first to the last 10 ms that are not silent, with a little around them."""
    loud = np.flatnonzero(energies > energies.max() * _QUIET**2)
    if not len(loud):
        return 0, 0
    window, lead, tail = max(rate // 100, 1), int(_LEAD * rate), int(_TAIL * rate)
    return max(int(loud[0]) * window - lead, 0), min(int(loud[-1] + 1) * window + tail, samples)


def _fade(samples: Samples, length: int) -> None:
    """Raised cosine at both ends, in place."""
    length = min(length, len(samples) // 2)
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(length, dtype=np.float32) + 0.5) / max(length, 1))).astype(np.float32)
    samples[:length] *= ramp
    samples[len(samples) - length :] *= ramp[::-1]


def _moved(word: Word, by: float, seconds: float) -> Word:
    start = min(max(word.start - by, 0.0), seconds)
    return Word(word.text, start, min(max(word.end - by, start), seconds))
