"""VITS, and with it Meta's MMS: over a thousand languages, one model each (Kim et al. 2021; Pratap et al. 2023)."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from pipelines.errors import ModelUnavailable
from pipelines.runtime import devices, transformers_models
from pipelines.runtime.options import Options
from pipelines.runtime.out_of_memory import out_of_memory_is_ours
from pipelines.speech.catalog import VoiceEntry
from pipelines.speech.voice import Ready, Samples, Spoken
from pipelines.speech.voices import torch_voice


class VitsVoice(Ready):
    """A `voice.Voice`. Its speakers have numbers."""

    longest, blends, clones = 250, False, False

    def __init__(self, entry: VoiceEntry, options: Options):
        self.name, self.voices, self.languages = entry.name, entry.voices, entry.languages
        self._model = transformers_models.model(entry, "VitsModel", torch_voice.full(options))
        self._tokenizer = transformers_models.tokenizer(entry)
        self.sample_rate, self.nbytes = int(self._model.config.sampling_rate), devices.nbytes(self._model)
        self._needs("phonemize", "phonemizer", entry.name)
        self._needs("is_uroman", "uroman", entry.name)

    @out_of_memory_is_ours
    def speak(
        self, text: str, voice: str, speed: float, *, seed: int | None = None, sample: Samples | None = None
    ) -> Spoken:
        model = self._model
        inputs = self._tokenizer(text, return_tensors="pt").to(model.device)
        if inputs["input_ids"].shape[-1] < 2:  # a blank: nothing that its alphabet holds
            return Spoken(torch_voice.samples(torch.zeros(0)))
        model.speaking_rate = model.config.speaking_rate * speed
        speaker = int(voice) if voice.isdecimal() and model.config.num_speakers > 1 else None
        with torch_voice.seeded(seed, model.device):
            return Spoken(torch_voice.samples(model(**inputs, speaker_id=speaker).waveform[0]))

    def _needs(self, setting: str, package: str, name: str) -> None:
        if getattr(self._tokenizer, setting, False) and find_spec(package) is None:
            raise ModelUnavailable(f"{name} needs the package {package} to read; `pip install {package}` installs it.")
