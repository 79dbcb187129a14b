"""What a person may ask of a voice."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipelines.requests.common import RANDOM_SEED, Asked, ModelId, Seed, Sha256, drawn

MAX_CHARACTERS = 100_000  # two hours
CHARACTERS_A_STEP = 80  # about a sentence


class AudioFormat(StrEnum):
    WAV = "wav"
    FLAC = "flac"
    MP3 = "mp3"
    OPUS = "opus"  # in an Ogg file


class SpeechRequest(Asked):
    """A text to be spoken.

    text may hold `[pause:1s]` and, at the start of a line, `[voice:name]`. voice: one of the model's voices; "" is its
    first; "a(2)+b(1)" blends two where the model can. speed: 0.5…2.0, 1 is the voice's own. loudness: integrated, LUFS
    (EBU R128); None leaves it as it comes. voice_sample: SHA-256 of a stored recording that the voice is cloned from.
    """

    kind: Literal["speech"] = "speech"
    text: Annotated[str, Field(max_length=MAX_CHARACTERS)]
    model: ModelId = "hibari"
    voice: Annotated[str, Field(max_length=200)] = ""
    speed: Annotated[float, Field(ge=0.5, le=2.0)] = 1.0
    format: AudioFormat = AudioFormat.MP3
    loudness: Annotated[float, Field(ge=-40, le=-5)] | None = -16.0
    voice_sample: Sha256 | None = None
    seed: Seed = RANDOM_SEED

    @field_validator("text")
    @classmethod
    def _speakable(cls, text: str) -> str:
        if not any(character.isalnum() for character in text):
            raise ValueError("text with at least one letter or digit")
        return text

    def singles(self) -> list[SpeechRequest]:
        return [self.model_copy(update={"seed": drawn(self.seed)})]

    def uploads(self) -> tuple[str, ...]:
        return (self.voice_sample,) if self.voice_sample else ()

    @property
    def words(self) -> str:
        return self.text

    @property
    def expected_steps(self) -> int:
        return 1 + len(self.text) // CHARACTERS_A_STEP
