"""Loudness (EBU R128, ITU-R BS.1770-4) and true peak, by FFmpeg's `ebur128`; the gain, and a limiter where needed.

The gain brings the integrated loudness to the target. Where that would lift the true peak over −1 dBTP, a look-ahead
limiter at four times the sample rate holds the peaks down; nothing else is compressed.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np

CEILING = -1.0  # dBTP
_MARGIN = 0.6  # dB that the limiter stays below it, as the way back from four times the rate overshoots a little
_OVERSAMPLING = 4
_LOUDEST_GAIN = 40.0  # dB: what is nearly silent stays so
_MOST_LOST = 3.0  # dB
LOOKS, _LITTLE = 2, 0.2  # how often it is looked at what the limiter takes away; dB that nobody hears
_SHORTEST = 0.8  # seconds; a block of the measurement has 0.4
SILENT = -70.0  # LUFS; also where there was too little to measure


@dataclass(frozen=True, slots=True)
class Levels:
    """integrated: LUFS; true_peak: dBTP. Both −70 for silence."""

    integrated: float
    true_peak: float


class Chain:
    """FFmpeg filters that samples go through, one block after another. filters: (name, arguments)."""

    def __init__(self, rate: int, filters: list[tuple[str, str]]):
        self._rate, self._at, self._graph = rate, 0, av.filter.Graph()
        self._last: dict[str, str] = {}
        parts = [self._graph.add_abuffer(sample_rate=rate, format="s16", layout="mono", time_base=Fraction(1, rate))]
        parts += [self._graph.add(name, arguments) for name, arguments in filters]
        parts += [self._graph.add("aformat", "sample_fmts=s16"), self._graph.add("abuffersink")]
        for one, other in pairwise(parts):
            one.link_to(other)
        self._graph.configure()

    def through(self, block: np.ndarray) -> Iterator[av.AudioFrame]:
        """What comes out when these int16 samples go in: not always as many."""
        for start in range(0, len(block), 2**14):
            frame = _frame(block[start : start + 2**14], self._rate, self._at)
            self._at += frame.samples
            self._graph.push(frame)
            yield from self._ready()

    def rest(self) -> Iterator[av.AudioFrame]:
        """What was still inside, at the end."""
        self._graph.push(None)
        yield from self._ready()

    @property
    def levels(self) -> Levels:
        """What `ebur128`, if it is one of the filters, has measured until now."""
        peak = float(self._last.get("lavfi.r128.true_peak", 0.0))
        integrated = float(self._last.get("lavfi.r128.I", SILENT))
        return Levels(max(integrated, SILENT), max(20 * math.log10(max(peak, 1e-9)), SILENT))

    def _ready(self) -> Iterator[av.AudioFrame]:
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            if isinstance(frame, av.AudioFrame):  # there are no others in such a graph
                self._last = frame.metadata or self._last
                yield frame


METER = ("ebur128", "peak=true:metadata=1:framelog=quiet")
_LOUDNESS = ("ebur128", "metadata=1:framelog=quiet")


class Meter:
    """Measures a track block by block."""

    def __init__(self, rate: int):
        self._chain, self._rate, self._samples = Chain(rate, [METER]), rate, 0
        self._blocks: list[np.ndarray] = []

    def add(self, block: np.ndarray) -> None:
        if self._samples < _SHORTEST * self._rate:
            self._blocks.append(block)
        self._samples += len(block)
        deque(self._chain.through(block), 0)

    @property
    def integrated(self) -> float:
        """LUFS of what was added until now; SILENT where that is too short."""
        return self._chain.levels.integrated if self._samples >= _SHORTEST * self._rate else SILENT

    def levels(self) -> Levels:
        """Of all that was added; once. A sound that is too short for the measurement is taken over and over."""
        if 0 < self._samples < _SHORTEST * self._rate:
            again = math.ceil(_SHORTEST * self._rate / self._samples)
            whole = np.tile(np.concatenate(self._blocks), again)
            deque(self._chain.through(whole), 0)
        deque(self._chain.rest(), 0)
        return self._chain.levels


def gain(levels: Levels, target: float | None) -> float:
    """dB that bring a track of these levels to `target` LUFS; 0 where there is no target, or nothing to be heard."""
    return 0.0 if target is None or levels.integrated <= SILENT else min(target - levels.integrated, _LOUDEST_GAIN)


def too_high(levels: Levels, gain: float) -> bool:
    """Whether that gain needs the limiter."""
    return levels.true_peak + gain > CEILING


def mastering(gain: float, rate: int, limited: bool) -> Chain:
    """The chain that applies the gain, limits the peaks where that is needed, and measures what comes out."""
    filters = [_volume(gain)] if gain else []
    return Chain(rate, [*filters, *(_limiter(rate) if limited else []), METER])


class Look:
    """dB of loudness that the limiter takes away from an excerpt: `lost`, 0…3. What is added to make up for it is
    limited too, so that a loss that can be heard takes a second look.

    integrated: LUFS of the excerpt without gain and limiter; SILENT: it is too short, and nothing is looked at.
    """

    def __init__(self, gain: float, integrated: float, rate: int):
        self._gain, self._integrated, self._rate = gain, integrated, rate
        self._looks, self._missing, self._added = 0, math.inf if integrated > SILENT else 0.0, 0.0

    @property
    def lost(self) -> float:
        return min(max(self._added, 0.0), _MOST_LOST)

    def again(self) -> bool:
        """Whether the excerpt is to be added (once more)."""
        if self._looks == LOOKS or self._missing < _LITTLE:
            return False
        self._looks += 1
        parts = [_volume(self._gain + self._added), *_limiter(self._rate), _LOUDNESS]
        self._chain = Chain(self._rate, parts)
        return True

    def add(self, block: np.ndarray) -> None:
        deque(self._chain.through(block), 0)

    def close(self) -> None:
        """The excerpt was added."""
        deque(self._chain.rest(), 0)
        self._missing = self._integrated + self._gain - self._chain.levels.integrated
        self._added += self._missing


def _volume(gain: float) -> tuple[str, str]:
    return "volume", f"volume={gain:.4f}dB:precision=float"


def _limiter(rate: int) -> list[tuple[str, str]]:
    limit = 10 ** ((CEILING - _MARGIN) / 20)
    return [
        ("aresample", str(rate * _OVERSAMPLING)),
        ("alimiter", f"limit={limit:.6f}:attack=3:release=60:level=disabled:latency=enabled"),
        ("aresample", str(rate)),
    ]


def _frame(samples: np.ndarray, rate: int, at: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, "<i2")[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
    return frame
