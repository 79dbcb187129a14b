"""Bark (Suno, 2023): many languages, laughter and sighs; slow. Its voices are prompts in the folder."""

from __future__ import annotations

import torch

from pipelines.runtime import devices, transformers_models
from pipelines.runtime.options import Options
from pipelines.runtime.out_of_memory import out_of_memory_is_ours
from pipelines.speech.catalog import VoiceEntry, bark_voices
from pipelines.speech.voice import Ready, Samples, Spoken
from pipelines.speech.voices import torch_voice


class BarkVoice(Ready):
    """A `voice.Voice`. Without prompts it draws a voice from the seed, the same one for every sentence."""

    longest, blends, clones = 140, False, False  # it makes about 13 seconds at a time

    def __init__(self, entry: VoiceEntry, options: Options):
        from transformers.models.bark.processing_bark import BarkProcessor

        self.name, self.voices, self.languages = entry.name, entry.voices, entry.languages
        self._model = transformers_models.model(entry, "BarkModel", options)
        self._processor = BarkProcessor(transformers_models.tokenizer(entry))
        self.sample_rate = int(self._model.generation_config.sample_rate)
        self.nbytes = devices.nbytes(self._model)
        self._prompts = {
            voice: {part: next(iter(torch_voice.arrays(file, entry.name).values())) for part, file in files.items()}
            for voice, files in bark_voices(entry.place).items()
        }

    @out_of_memory_is_ours
    def speak(
        self, text: str, voice: str, speed: float, *, seed: int | None = None, sample: Samples | None = None
    ) -> Spoken:
        inputs = self._processor(text, voice_preset=self._prompts.get(voice))
        given = {key: _on(value, self._model.device) for key, value in inputs.items()}
        with torch_voice.seeded(seed, self._model.device):
            made = self._model.generate(**given, do_sample=True)
        return Spoken(torch_voice.stretched(torch_voice.samples(made[0]), self.sample_rate, speed))


def _on(value: object, device: torch.device) -> object:
    """Tensors onto the device; the prompt of a voice is a dictionary of them."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    return {key: _on(part, device) for key, part in value.items()} if hasattr(value, "items") else value
