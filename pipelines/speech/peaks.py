"""How a sound looks: its loudest samples, one for each equal part of its time."""

from __future__ import annotations

import numpy as np

A_SECOND, WHOLE = 20, 200  # parts of a second of a piece; parts of a whole sound


def of_piece(pcm: bytes, rate: int) -> list[float]:
    """One number, 0…1, for each twentieth of a second of 16 bit samples."""
    return _loudest(np.frombuffer(pcm, "<i2"), max(rate // A_SECOND, 1))


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
    whole = len(samples) // size * size
    parts = [samples[:whole].reshape(-1, size), samples[whole:].reshape(1, -1)]
    return [
        round(max(high, -low) / 32768, 3)
        for part in parts
        if part.size
        for high, low in zip(part.max(1).tolist(), part.min(1).tolist(), strict=True)
    ]
