"""From the whole track to its file, a portion a step: measured first, then brought to its loudness and encoded.

Nobody who shares the device waits for longer than about one sentence takes to be spoken: the work is cut into blocks of
a second of sound, and a step does as many of them as make up `A_STEP`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from pipelines.requests import AudioFormat
from pipelines.speech.audio import loudness
from pipelines.speech.audio.encoding import FORMATS, Encoder
from pipelines.speech.audio.loudness import SILENT, Levels, Meter
from pipelines.speech.audio.segments import Outline
from pipelines.speech.audio.track import Track

A_STEP = 0.06  # seconds of work, about
BLOCK = 1.0  # seconds of sound that are never cut
_EXCERPT = 30.0  # seconds on which it is tried what the limiter takes away
_METER, _TRY, _CHAIN = 0.003, 0.004, 0.007  # seconds of work a second of sound; the formats have their own


def portions(seconds: float, format: AudioFormat) -> int:
    """The most steps that so many seconds of sound take before `finish`, which has less than a step left to do."""
    tries = loudness.LOOKS * _TRY * min(seconds, _EXCERPT)
    return int((seconds * (_METER + _CHAIN + FORMATS[format].cost) + tries) / A_STEP)


class Master:
    """target: LUFS, or None to leave the loudness as it is. tags: of the file.

    Once it has finished: file, media_type, rate (Hz), levels (of what went into the file), peaks (0…1, how it looks).
    """

    def __init__(self, track: Track, format: AudioFormat, target: float | None, tags: dict[str, str]):
        self._track, self._format, self._target, self._tags = track, format, target, tags
        self._work = self._whole()
        self.file, self.media_type, self.rate, self.levels = b"", "", 0, Levels(SILENT, SILENT)
        self.peaks: list[float] = []

    def move(self) -> bool:
        """One step; False where nothing is left to be done."""
        done = 0.0
        while done < A_STEP:
            if (cost := next(self._work, None)) is None:
                return False
            done += cost
        return True

    def finish(self) -> None:
        """Does all that is left."""
        for _ in self._work:
            pass

    def _whole(self) -> Iterator[float]:
        """Yields what each block has cost, in seconds of work."""
        before, excerpt = yield from self._measured()
        gain = loudness.gain(before, self._target)
        limited = self._target is not None and loudness.too_high(before, gain)
        if limited:
            gain += yield from self._lost(gain, excerpt)
        chain = loudness.mastering(gain, self._track.rate, limited)
        encoder = Encoder(self._format, self._track.rate, self._tags)
        for block in self._blocks():
            for frame in chain.through(block):
                encoder.add(frame)
            yield len(block) / self._track.rate * (_CHAIN + FORMATS[self._format].cost)
        for frame in chain.rest():
            encoder.add(frame)
        self.file, self.media_type, self.rate = encoder.close(), encoder.media_type, encoder.rate
        measured = chain.levels  # nothing, of a sound that is too short to be measured
        self.levels = measured if measured.integrated > SILENT else Levels(before.integrated + gain, measured.true_peak)

    def _measured(self) -> Generator[float, None, tuple[Levels, float]]:
        """Gives the levels of the whole, and the loudness of the excerpt at its beginning."""
        rate, meter, outline = self._track.rate, Meter(self._track.rate), Outline(self._track.samples)
        excerpt, heard = SILENT, 0
        for block in self._blocks():
            meter.add(block)
            outline.add(block)
            heard += len(block)
            if heard <= _EXCERPT * rate:
                excerpt = meter.integrated
            yield len(block) / rate * _METER
        self.peaks = outline.close()
        return meter.levels(), excerpt

    def _lost(self, gain: float, excerpt: float) -> Generator[float, None, float]:
        """Gives the dB that the limiter takes away: they are added to the gain."""
        look, rate = loudness.Look(gain, excerpt, self._track.rate), self._track.rate
        while look.again():
            for block in self._blocks(_EXCERPT):
                look.add(block)
                yield len(block) / rate * _TRY
            look.close()
        return look.lost

    def _blocks(self, seconds: float | None = None) -> Iterator[np.ndarray]:
        rate = self._track.rate
        return self._track.blocks(0, None if seconds is None else int(seconds * rate), int(BLOCK * rate))
