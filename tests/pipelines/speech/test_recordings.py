"""Recordings that people upload: what is one, what is none, what is a bomb."""

from __future__ import annotations

import io
import time

import av
import numpy as np
import pytest

from pipelines.errors import BadUpload
from pipelines.requests import AudioFormat
from pipelines.speech.audio import recordings
from pipelines.speech.audio.encoding import Encoder
from pipelines.speech.audio.loudness import Chain


def encoded(samples: np.ndarray, rate: int, format: str) -> bytes:
    encoder, chain = Encoder(AudioFormat(format), rate, {}), Chain(rate, [])
    for frame in [*chain.through(samples), *chain.rest()]:
        encoder.add(frame)
    return encoder.close()


@pytest.mark.parametrize("format", ["wav", "flac", "mp3", "opus"])
def test_a_recording_comes_as_mono_at_the_voices_rate(format):
    tone = (np.sin(np.arange(32000) * 0.05) * 8000).astype("<i2")
    samples = recordings.decode(encoded(tone, 16000, format), 24000)
    assert samples.dtype == np.float32
    assert abs(len(samples) - 48000) < 4000
    assert np.abs(samples).max() == pytest.approx(1.0)


def test_stereo_and_other_rates():
    file = io.BytesIO()
    with av.open(file, "w", format="wav") as out:
        stream = out.add_stream("pcm_s16le", rate=44100, layout="stereo")
        tone = (np.sin(np.arange(88200) * 0.05) * 8000).astype("<i2")
        frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[None], format="s16", layout="stereo")
        frame.sample_rate = 44100
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert abs(len(recordings.decode(file.getvalue(), 24000)) - 48000) < 100


JUNK = [
    b"",
    b"hello",
    bytes(5000),
    b"\x89PNG\r\n\x1a\n" + bytes(500),
    b"RIFF\xff\xff\xff\xffWAVEfmt ",
    b"ID3" + bytes(200),
    b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
]


@pytest.mark.parametrize("data", JUNK)
def test_what_is_no_recording(data):
    with pytest.raises(BadUpload, match="voice_sample"):
        recordings.decode(data, 24000)


def test_long_silence_in_a_small_file_is_refused_soon():
    """FLAC packs silence a thousandfold."""
    bomb = encoded(np.zeros(8000 * 600, "<i2"), 8000, "flac")
    assert len(bomb) < 2**17, "9.6 MB of samples"
    began = time.process_time()
    with pytest.raises(BadUpload, match="longer than 60 s"):
        recordings.decode(bomb, 24000)
    assert time.process_time() - began < 1.0


def test_too_short_too_large_too_quiet():
    with pytest.raises(BadUpload, match="shorter than 1 s"):
        recordings.decode(encoded(np.full(800, 900, "<i2"), 8000, "wav"), 24000)
    with pytest.raises(BadUpload, match="silent"):
        recordings.decode(encoded(np.zeros(16000, "<i2"), 8000, "wav"), 24000)
    with pytest.raises(BadUpload, match="21 MB, allowed are 20"):
        recordings.decode(bytes(21 * 2**20), 24000)
