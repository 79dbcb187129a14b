"""Piper: hundreds of voices in forty languages, one ONNX file each. Its package is under the GPL, and optional."""

from __future__ import annotations

import numpy as np
from piper import PiperVoice as Piper
from piper import SynthesisConfig

from pipelines.speech.catalog import VoiceEntry, onnx_file
from pipelines.speech.voice import Ready, Samples, Spoken


class PiperVoice(Ready):
    """A `voice.Voice`. Its noise is drawn inside of the graph, so that two readings of a text differ a little."""

    longest, blends, clones = 300, False, False

    def __init__(self, entry: VoiceEntry, options: object = None):
        file = onnx_file(entry.place)
        self.name, self.voices, self.languages = entry.name, entry.voices, entry.languages
        self._model = Piper.load(file)
        self.sample_rate, self.nbytes = int(self._model.config.sample_rate), file.stat().st_size

    def speak(
        self, text: str, voice: str, speed: float, *, seed: int | None = None, sample: Samples | None = None
    ) -> Spoken:
        told = self._model.config
        speaker = told.speaker_id_map.get(voice, 0) if told.num_speakers > 1 else None
        # Its own normalisation would make every sentence, a whispered one too, as loud as it can be.
        how = SynthesisConfig(speaker, length_scale=told.length_scale / speed, normalize_audio=False)
        parts = [part.audio_float_array for part in self._model.synthesize(text, how)]
        return Spoken(np.concatenate([np.zeros(0, np.float32), *parts]))
