"""Pocket TTS (Kyutai, 2026): 100 million parameters, fast on a CPU, takes over a voice from a few seconds of it."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import torch

from pipelines.catalog import folders
from pipelines.runtime import devices, transformers_models
from pipelines.runtime.options import Options
from pipelines.runtime.out_of_memory import out_of_memory_is_ours
from pipelines.speech.catalog import VOICES, VoiceEntry
from pipelines.speech.voice import Ready, Samples, Spoken
from pipelines.speech.voices import torch_voice

_CODEC = "audio_tokenizer"


class PocketVoice(Ready):
    """A `voice.Voice`. Voices are the latents in the folder's `voices`, or a recording that comes with the request."""

    longest, blends, clones = 200, False, True

    def __init__(self, entry: VoiceEntry, options: Options):
        self.name, self.voices, self.languages = entry.name, entry.voices, entry.languages
        full, told = torch_voice.full(options), folders.config(entry.place, "processor_config.json", entry.name)
        codec = torch_voice.companion(entry, _CODEC, str(told.get(_CODEC, {}).get("audio_tokenizer_name_or_path", "")))
        self._model = transformers_models.model(entry, "PocketTTSForConditionalGeneration", full)
        self._codec = transformers_models.model(codec, "PocketTTSAudioTokenizerModel", full)
        self._processor = _processor(entry, self._codec, told)
        self.sample_rate, self.nbytes = int(self._codec.config.sampling_rate), devices.nbytes(self._model, self._codec)
        self._latents = {voice: self._stored(entry, voice) for voice in entry.voices}
        self._heard: tuple[bytes, torch.Tensor] | None = None  # the recording that was encoded last

    @out_of_memory_is_ours
    def speak(
        self, text: str, voice: str, speed: float, *, seed: int | None = None, sample: Samples | None = None
    ) -> Spoken:
        with torch_voice.seeded(seed, self._model.device):
            latents = self._latents[voice] if sample is None else self._encoded(sample)
            inputs = self._processor(text=[self._prompt(text)], audio_prompt_latents=[latents], return_tensors="pt")
            made = self._model.generate(**inputs.to(self._model.device), return_dict_in_generate=True)
            sound = self._processor.decode(made.audio_latents, made.audio_latents_mask)[0]
        return Spoken(torch_voice.stretched(torch_voice.samples(sound), self.sample_rate, speed))

    def _prompt(self, text: str) -> str:
        said = [{"role": "user", "content": [{"type": "audio"}, {"type": "text", "text": text}]}]
        return self._processor.apply_chat_template(said, tokenize=False)

    def _encoded(self, sample: Samples) -> torch.Tensor:
        """(frames, latent): of the recording; that of the last one is kept, as each sentence of a text asks again."""
        key = hashlib.blake2b(np.ascontiguousarray(sample).data).digest()
        if self._heard is None or self._heard[0] != key:
            given = self._processor.feature_extractor([sample], sampling_rate=self.sample_rate)
            given = given.to(self._codec.device)
            made = self._codec.encode(given["input_values"], given["padding_mask"])
            self._heard = key, made.latents[0][made.latents_mask[0].bool()].float().cpu()
        return self._heard[1]

    def _stored(self, entry: VoiceEntry, voice: str) -> torch.Tensor:
        file = next(f for f in (entry.place / VOICES).iterdir() if f.stem == voice and f.suffix in torch_voice.SAFE)
        found = next(iter(torch_voice.arrays(file, entry.name).values()))
        return torch.from_numpy(found.astype(np.float32)).reshape(-1, self._model.config.latent_dim)


def _processor(entry: VoiceEntry, codec: Any, told: dict) -> Any:
    """By its parts: its own `from_pretrained` would open whatever its settings point at."""
    from transformers import PocketTTSFeatureExtractor, PocketTTSProcessor

    own = ("short_text_max_words", "frames_after_eos_short_text", "frames_after_eos", "fade_in_duration")
    extractor = {k: v for k, v in told.get("feature_extractor", {}).items() if not k.endswith("_type")}
    template = entry.place / "chat_template.jinja"
    return PocketTTSProcessor(
        PocketTTSFeatureExtractor(**extractor),
        transformers_models.tokenizer(entry),
        codec,
        chat_template=template.read_text(encoding="utf-8") if template.is_file() else None,
        **{key: told[key] for key in own if key in told},
    )
