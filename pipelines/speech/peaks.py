"""How a sound looks: its loudest samples, one for each equal part of its time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

A_SECOND, WHOLE = 20, 200  # parts of a second of a piece; parts of a whole sound


def of_piece(pcm: bytes, rate: int) -> list[float]:
    """One number, 0…1, for each twentieth of a second of 16 bit samples."""
    return _loudest(np.frombuffer(pcm, "<i2"), max(rate // A_SECOND, 1))


def of_whole(blocks: Iterable[np.ndarray], samples: int) -> list[float]:
    """At most WHOLE numbers for blocks of 16 bit samples, `samples` in all; the loudest is 1."""
    size, held, peaks = max(-(-samples // WHOLE), 1), np.zeros(0, np.int16), []
    for block in blocks:
        held = np.concatenate([held, block])
        whole = len(held) // size * size
        peaks += _loudest(held[:whole], size)
        held = held[whole:]
    peaks += _loudest(held, size)
    most = max(peaks, default=0.0) or 1.0
    return [round(peak / most, 3) for peak in peaks]


def _loudest(samples: np.ndarray, size: int) -> list[float]:
    if not len(samples):
        return []
    high = np.maximum.reduceat(np.abs(samples.astype(np.int32)), np.arange(0, len(samples), size))
    return [round(float(peak) / 32768, 3) for peak in high]
