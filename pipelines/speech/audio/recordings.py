"""Recordings that people upload to be cloned: decoded with caps on bytes and seconds, whatever the file claims."""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import numpy as np

from pipelines.errors import BadUpload
from pipelines.speech.voice import Samples

MAX_BYTES, MAX_SECONDS, MIN_SECONDS = 20 * 2**20, 60.0, 1.0
_QUIET = 1e-3  # of full scale
_MAX_RATE, _MAX_CHANNELS = 384_000, 8
# Readers of plain sound files; others (playlists, device inputs) could open something else than these bytes.
_READERS = ("wav", "flac", "mp3", "ogg", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "aac", "aiff", "caf")


def decode(data: bytes, rate: int) -> Samples:
    """float32 mono at `rate` Hz, loudest sample 1. Raises BadUpload with one sentence.

    Stops decoding at the caps, so that a small file that becomes an enormous sound costs no more than a minute of it.
    """
    if len(data) > MAX_BYTES:
        raise BadUpload(
            f"voice_sample: the recording has {len(data) / 2**20:.0f} MB, allowed are {MAX_BYTES // 2**20}."
        )
    try:
        samples = np.concatenate([np.zeros(0, np.float32), *_decoded(data, rate)])
    except BadUpload:
        raise
    except Exception as error:  # FFmpeg's errors are many
        raise BadUpload(
            "voice_sample: the file is not a recording that can be read; WAV, MP3, FLAC, Ogg, M4A can."
        ) from error
    if len(samples) < MIN_SECONDS * rate:
        raise BadUpload(f"voice_sample: the recording is shorter than {MIN_SECONDS:.0f} s; three to thirty are best.")
    peak = float(np.abs(samples).max())
    if not np.isfinite(samples).all() or peak < _QUIET:
        raise BadUpload("voice_sample: the recording is silent.")
    return samples / peak


def told(data: bytes, rate: int = 16_000) -> dict:
    """seconds: of its sound. Raises BadUpload."""
    return {"seconds": round(len(decode(data, rate)) / rate, 2)}


def _decoded(data: bytes, rate: int) -> Iterator[Samples]:
    with av.open(io.BytesIO(data), "r", options={"format_whitelist": ",".join(_READERS)}) as file:
        if not file.streams.audio:
            raise BadUpload("voice_sample: there is no sound in the file.")
        stream = file.streams.audio[0]
        if stream.rate > _MAX_RATE or stream.channels > _MAX_CHANNELS:
            raise BadUpload(
                f"voice_sample: {stream.channels} channels at {stream.rate} Hz are not a recording of a voice."
            )
        stream.codec_context.thread_count = 1
        fit, seconds = av.AudioResampler("flt", "mono", rate), 0.0
        for frame in file.decode(stream):
            seconds += frame.samples / (frame.sample_rate or rate)
            if seconds > MAX_SECONDS:
                raise BadUpload(
                    f"voice_sample: the recording is longer than {MAX_SECONDS:.0f} s; three to thirty are best."
                )
            yield from (part.to_ndarray().reshape(-1) for part in fit.resample(frame))
        yield from (part.to_ndarray().reshape(-1) for part in fit.resample(None))
