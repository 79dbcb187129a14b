"""A voice that costs next to nothing."""

from __future__ import annotations

import numpy as np

from pipelines.errors import OutOfMemory
from pipelines.speech import catalog
from pipelines.speech.pipeline import SpeechPipeline
from pipelines.speech.voice import Ready, Spoken, Word

RATE = 8000


class Hum(Ready):
    """A voice that hums as long as its text is, between silences; it cannot say some things."""

    name, voices, languages, sample_rate, nbytes, longest, blends, clones = (
        "Hum",
        ("a",),
        (),
        RATE,
        0,
        300,
        False,
        False,
    )

    def __init__(self, level: float = 0.1):
        self.level = level

    def speak(self, text, voice, speed, *, seed=None, sample=None) -> Spoken:
        if "crash" in text:
            raise RuntimeError("/secret/path")
        if "memory" in text:
            raise OutOfMemory("no memory")
        tone = self.level * np.sin(np.arange(int(RATE * len(text) / 20 / speed)) * 0.9 + 1.0, dtype=np.float32)
        tone[0] = np.nan if "nan" in text else tone[0]
        quiet = np.zeros(RATE // 2, np.float32)
        return Spoken(np.concatenate([quiet, tone, quiet]), [Word(text, 0.5, 0.5 + len(tone) / RATE)])


def humming(level: float = 0.1) -> SpeechPipeline:
    return SpeechPipeline(Hum(level), catalog.VoiceEntry("hum", "Hum", "package", voices=("a",), family="hum"))
