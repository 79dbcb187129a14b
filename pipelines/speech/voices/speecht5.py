"""SpeechT5 (Ao et al. 2022): English, in any voice that a speaker embedding describes."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import torch

from pipelines.errors import ModelUnavailable
from pipelines.runtime import devices, transformers_models
from pipelines.runtime.options import Options
from pipelines.runtime.out_of_memory import out_of_memory_is_ours
from pipelines.speech.catalog import VOICES, VoiceEntry
from pipelines.speech.text import markup
from pipelines.speech.voice import Ready, Samples, Spoken
from pipelines.speech.voices import torch_voice

VOCODER = "microsoft/speecht5_hifigan"


class SpeechT5Voice(Ready):
    """A `voice.Voice`. Voices are files in the folder's `voices`: x-vectors, .npy or .safetensors."""

    longest, blends, clones = 200, True, False

    def __init__(self, entry: VoiceEntry, options: Options):
        if find_spec("sentencepiece") is None:
            raise ModelUnavailable(f"{entry.name} needs the package sentencepiece; `pip install 'triptych[voices]'`.")
        if not entry.voices:
            raise ModelUnavailable(
                f"{entry.name} has no voice yet; put a speaker embedding (.npy or .safetensors) "
                f"into the model's sub-folder {VOICES}."
            )
        self.name, self.voices, self.languages = entry.name, entry.voices, entry.languages
        full = torch_voice.full(options)
        self._model = transformers_models.model(entry, "SpeechT5ForTextToSpeech", full)
        self._vocoder = transformers_models.model(
            torch_voice.companion(entry, "vocoder", VOCODER), "SpeechT5HifiGan", full
        )
        self._tokenizer = transformers_models.tokenizer(entry)
        self.sample_rate = int(self._vocoder.config.sampling_rate)
        self.nbytes = devices.nbytes(self._model, self._vocoder)
        self._embeddings = {voice: self._embedding(entry, voice) for voice in entry.voices}

    @out_of_memory_is_ours
    def speak(
        self, text: str, voice: str, speed: float, *, seed: int | None = None, sample: Samples | None = None
    ) -> Spoken:
        model = self._model
        ids = self._tokenizer(text, return_tensors="pt")["input_ids"].to(model.device)
        speaker = self._blended(voice).to(model.device)
        with torch_voice.seeded(seed, model.device):
            made = model.generate_speech(ids, speaker, vocoder=self._vocoder)
        return Spoken(torch_voice.stretched(torch_voice.samples(made), self.sample_rate, speed))

    def _blended(self, voice: str) -> torch.Tensor:
        """(1, n): the mean of the embeddings by their shares, as long as they are."""
        shares = markup.blend(voice)
        mixed = sum(share * self._embeddings[name] for name, share in shares.items())
        length = sum(share * self._embeddings[name].norm() for name, share in shares.items())
        return mixed * (length / mixed.norm().clamp_min(1e-6))

    def _embedding(self, entry: VoiceEntry, voice: str) -> torch.Tensor:
        file = next(f for f in (entry.place / VOICES).iterdir() if f.stem == voice and f.suffix in torch_voice.SAFE)
        found = np.ravel(next(iter(torch_voice.arrays(file, entry.name).values())))
        wanted = int(self._model.config.speaker_embedding_dim)
        if found.shape != (wanted,) or not np.isfinite(found).all():
            raise ModelUnavailable(f"{entry.name}: its voice {voice} is not a list of {wanted} numbers.")
        return torch.from_numpy(found.astype(np.float32))[None]
