"""Kokoro (82 million parameters, 54 voices in nine languages) through ONNX; voices can be blended."""

from __future__ import annotations

import numpy as np
from kokoro_onnx import SAMPLE_RATE, Kokoro

from pipelines.speech import markup
from pipelines.speech.known import KOKORO, VoiceEntry, kokoro_voices, onnx_file
from pipelines.speech.voice import Ready, Samples, Spoken


class KokoroVoice(Ready):
    """A `voice.Voice`. The first letter of a voice's name is its language."""

    sample_rate, longest, blends, clones = SAMPLE_RATE, 300, True, False

    def __init__(self, entry: VoiceEntry, options: object = None):
        file = onnx_file(entry.folder)
        self.name, self.voices, self.languages = entry.name, entry.voices, entry.languages
        self._model = Kokoro(str(file), str(kokoro_voices(entry.folder)))
        self.nbytes = file.stat().st_size

    def speak(
        self, text: str, voice: str, speed: float, *, seed: int | None = None, sample: Samples | None = None
    ) -> Spoken:
        shares = markup.blend(voice)
        style = sum(np.float32(share) * self._model.get_voice_style(name) for name, share in shares.items())
        language = KOKORO.get(next(iter(shares))[:1], KOKORO["a"])[1]
        sound, _ = self._model.create(text, style, speed, language, trim=False)
        return Spoken(np.asarray(sound, np.float32))
