"""How a sound looks: its loudest samples, one for each equal part of its time."""

from __future__ import annotations

import numpy as np

A_SECOND, WHOLE = 20, 200  # parts of a second of a piece; parts of a whole sound


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
