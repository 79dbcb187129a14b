"""From the whole track to its file, a portion a step: measured first, then brought to its loudness and encoded."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.requests import AudioFormat
from pipelines.speech import loudness
from pipelines.speech.encoding import FORMATS, Encoder
from pipelines.speech.loudness import SILENT, Levels, Meter
from pipelines.speech.track import Track

_EXCERPT = 30.0  # seconds on which it is tried what the limiter takes away
_A_STEP = 0.15  # seconds of work, about
_METER, _CHAIN = 0.003, 0.005  # seconds of work a second of sound; the formats have their own


def portions(seconds: float, format: AudioFormat) -> int:
    """How many steps to spread the work over, for about that many seconds of sound."""
    return 1 + int(seconds * (_METER + _CHAIN + FORMATS[format].cost) / _A_STEP)


class Master:
    """target: LUFS, or None to leave the loudness as it is. tags: of the file.

    Once it has finished: file, media_type, rate (Hz), levels (of what went into the file).
    """

    def __init__(self, track: Track, format: AudioFormat, target: float | None, tags: dict[str, str]):
        self._track, self._format, self._target, self._tags = track, format, target, tags
        self._work, self._done = self._whole(), 0.0
        self.file, self.media_type, self.rate, self.levels = b"", "", 0, Levels(SILENT, SILENT)

    def move(self, portions_left: int) -> None:
        """Does its share of the work that is left; `portions_left` says in how many portions it is to be done."""
        whole = self._track.seconds * (_METER + _CHAIN + FORMATS[self._format].cost)
        until = self._done + (whole - self._done) / max(portions_left, 1)
        while self._done < until and (cost := next(self._work, None)) is not None:
            self._done += cost

    def finish(self) -> None:
        """Does all that is left."""
        for _ in self._work:
            pass

    def _whole(self) -> Iterator[float]:
        """Yields what each block has cost, in seconds of work."""
        rate, meter = self._track.rate, Meter(self._track.rate)
        for block in self._track.blocks():
            meter.add(block)
            yield len(block) / rate * _METER
        before = meter.levels()
        gain = loudness.gain(before, self._target)
        limited = self._target is not None and loudness.too_high(before, gain)
        if limited:
            gain += loudness.lost(list(self._track.blocks(0, int(_EXCERPT * rate))), gain, rate)
            yield _EXCERPT * _CHAIN
        chain = loudness.mastering(gain, rate, limited)
        encoder = Encoder(self._format, rate, self._tags)
        for block in self._track.blocks():
            for frame in chain.through(block):
                encoder.add(frame)
            yield len(block) / rate * (_CHAIN + FORMATS[self._format].cost)
        for frame in chain.rest():
            encoder.add(frame)
        self.file, self.media_type, self.rate = encoder.close(), encoder.media_type, encoder.rate
        measured = chain.levels  # nothing, of a sound that is too short to be measured
        self.levels = measured if measured.integrated > SILENT else Levels(before.integrated + gain, measured.true_peak)
