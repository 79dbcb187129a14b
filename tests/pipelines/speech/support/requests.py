"""Small requests for speech, and speaking them to the end."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np

from pipelines.base import Artifact, Piece
from pipelines.requests import SpeechRequest, make
from pipelines.speech.pipeline import SpeechPipeline


@dataclass
class Told:
    """Everything that one job gave."""

    pieces: list[Piece]
    artifact: Artifact
    notes: list[str]

    @property
    def pcm(self) -> np.ndarray:
        """The pieces laid end to end, int16."""
        return np.frombuffer(b"".join(piece.data for piece in self.pieces), "<i2")


def asked(text: str, **fields: object) -> SpeechRequest:
    return make("speech", **({"text": text, "format": "wav", "seed": 7} | fields))


def told(pipeline: SpeechPipeline, text: str, files: dict[str, bytes] | None = None, **fields: object) -> Told:
    """Speaks the text and finishes it; raises the state's error."""
    state, pieces = pipeline.prepare(asked(text, **fields), files or {}), []
    while state.steps_left:
        before, key = state.steps_left, pipeline.batch_key(state)
        pipeline.step([state])
        pieces += pipeline.pieces(state)
        if state.error:
            raise state.error
        assert state.steps_left < before or pipeline.batch_key(state) != key
    return Told(pieces, pipeline.finish(state), state.notes)


def decoded(data: bytes) -> tuple[np.ndarray, int, dict[str, str]]:
    """Samples (float32, mono), rate and tags of a sound file."""
    import io

    with av.open(io.BytesIO(data)) as file:
        stream = file.streams.audio[0]
        fit = av.AudioResampler("flt", "mono", stream.rate)
        frames = [part for frame in file.decode(stream) for part in fit.resample(frame)]
        samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames + fit.resample(None)])
        return samples, stream.rate, {**file.metadata, **stream.metadata}
