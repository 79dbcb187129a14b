"""Sound files: WAV, FLAC, MP3, Ogg/Opus, with their tags, by FFmpeg (PyAV)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import cast

import av

from pipelines.requests import AudioFormat


@dataclass(frozen=True, slots=True)
class Format:
    """container, codec: FFmpeg's names. rates: Hz that the codec takes; (): any. cost: seconds of work a second."""

    media_type: str
    container: str
    codec: str
    bit_rate: int | None = None
    rates: tuple[int, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    cost: float = 0.001


_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
# Half the work of what is usual, which at these rates is not heard in a voice; encoding took longer than speaking.
_FASTER, _FAST = (("compression_level", "7"),), (("compression_level", "5"),)
FORMATS = {
    AudioFormat.WAV: Format("audio/wav", "wav", "pcm_s16le"),
    AudioFormat.FLAC: Format("audio/flac", "flac", "flac"),
    AudioFormat.MP3: Format("audio/mpeg", "mp3", "libmp3lame", 96_000, _MP3_RATES, _FASTER, 0.01),
    AudioFormat.OPUS: Format("audio/ogg", "ogg", "libopus", 48_000, _OPUS_RATES, _FAST, 0.006),
}
_TITLE, _LYRICS = 80, 20_000  # characters


class Encoder:
    """Takes frames as `loudness.Chain` gives them. rate: Hz of the frames; `self.rate`: of the file."""

    def __init__(self, format: AudioFormat, rate: int, tags: dict[str, str]):
        kind = FORMATS[format]
        self.media_type, self._file = kind.media_type, io.BytesIO()
        self.rate = rate if not kind.rates else min((r for r in kind.rates if r >= rate), default=max(kind.rates))
        self._container = av.open(self._file, "w", format=kind.container)
        stream = self._container.add_stream(kind.codec, rate=self.rate, layout="mono", options=dict(kind.options))
        self._stream = cast(av.AudioStream, stream)  # as its codec is one of sound
        if kind.bit_rate:
            self._stream.bit_rate = kind.bit_rate
        self._container.metadata.update(tags)
        self._fit = av.AudioResampler(self._stream.format, "mono", self.rate) if self.rate != rate else None

    def add(self, frame: av.AudioFrame) -> None:
        for fitting in self._fit.resample(frame) if self._fit else [frame]:
            self._container.mux(self._stream.encode(fitting))

    def close(self) -> bytes:
        """The whole file."""
        for fitting in self._fit.resample(None) if self._fit else []:
            self._container.mux(self._stream.encode(fitting))
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._file.getvalue()


def tags(text: str, voice: str, told: str) -> dict[str, str]:
    """title: the text's first words; artist: the voice; comment: `told`, JSON of the request; lyrics: the text, cut."""
    words = " ".join(text[: 4 * _TITLE].split())
    title = words if len(words) <= _TITLE else words[: _TITLE - 1].rpartition(" ")[0] + "…"
    return {"title": _clean(title), "artist": _clean(voice), "comment": told, "lyrics": _clean(shortened(text))}


def shortened(text: str, limit: int = _LYRICS) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _clean(text: str) -> str:
    """Tags hold no NUL, and nothing that is not UTF-8."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode()
