"""Hibari: five English voices of 8 MB, one of them in its wheel, sixty times faster than speech on one core."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from hibari import dsp
from hibari import voices as registry
from hibari.g2p import G2P
from hibari.g2p.normalize import normalize
from hibari.tts import ASSETS, MAX_PHONEMES, Hibari

from pipelines.errors import ModelUnavailable
from pipelines.speech.catalog import VoiceEntry
from pipelines.speech.text import word_timing
from pipelines.speech.voice import Ready, Samples, Spoken, Word
from pipelines.speech.voices import downloads

_OUTPUTS = ("lh", "theta", "ln", "lr", "phi", "f0")
_DURATIONS = "/Cast_32_output_0"  # of the exported graph: how long each phoneme is, before they are laid out


class HibariVoice(Ready):
    """A `voice.Voice`. Voices are opened when they are first asked for and stay open."""

    name, sample_rate, longest, blends, clones = "Hibari", dsp.SR, 300, False, False

    def __init__(self, entry: VoiceEntry, options: object = None, base_url: str = registry.BASE_URL):
        self.voices, self.languages, self._base_url = entry.voices, entry.languages, base_url
        self._models: dict[str, _Timed] = {}
        self._readers: dict[bool, G2P] = {}
        self._model(self.voices[0])

    @property
    def nbytes(self) -> int:
        return sum(registry.VOICES[voice]["bytes"] for voice in self._models)

    def missing(self, voice: str) -> int:
        return 0 if _file(voice).is_file() else downloads.parts(registry.VOICES[voice]["bytes"])

    def fetch(self, voice: str) -> Iterator[bool]:
        told = registry.VOICES[voice]
        try:
            yield from downloads.download(self._base_url + told["file"], _file(voice), told["sha256"])
        except OSError as error:
            here = ", ".join(name for name in self.voices if not self.missing(name))
            raise ModelUnavailable(
                f"The voice {voice} is not on this machine and could not be fetched; "
                f"go online and try again, or choose one that is here: {here}."
            ) from error

    def speak(
        self, text: str, voice: str, speed: float, *, seed: int | None = None, sample: Samples | None = None
    ) -> Spoken:
        model = self._model(voice)
        phonemes, heard = _read(model.g2p, text)
        if len(phonemes) > MAX_PHONEMES:  # a chunk of nothing but digits; hibari cuts it
            return Spoken(np.concatenate([model.speak(part, speed, seed)[0] for part in model.phonemize(text)]))
        sound, frames = model.speak(phonemes, speed, seed)
        ends = np.concatenate([[0], np.cumsum(frames)]) * (len(sound) / dsp.SR / max(frames.sum(), 1))
        return Spoken(sound, word_timing.aligned(word_timing.words(text), _timed(phonemes, heard, model.vocab, ends)))

    def _model(self, voice: str) -> _Timed:
        if voice not in self._models:
            british = bool(registry.VOICES[voice]["british"])
            if british not in self._readers:
                self._readers[british] = G2P(british=british)
            self._models[voice] = _Timed(_file(voice), self._readers[british])
        return self._models[voice]


class _Timed(Hibari):
    """Hibari with its phonemes' durations as one more output of the graph, where the graph has them."""

    def __init__(self, file: Path, g2p: G2P):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # more are no faster at this size
        options.log_severity_level = 3
        model = file.read_bytes()
        self._outputs = [*_OUTPUTS, _DURATIONS] if _DURATIONS.encode() in model else list(_OUTPUTS)
        if len(self._outputs) > len(_OUTPUTS):
            model = _with_output(model, _DURATIONS)
        self.sess = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
        self.vocab = json.loads((Path(ASSETS) / "vocab.json").read_text(encoding="utf-8"))
        self._g2p = g2p

    def speak(self, phonemes: str, speed: float, seed: int | None) -> tuple[Samples, np.ndarray]:
        """Samples, and the durations of the silence before, of every phoneme and of the silence after."""
        ids = self.ids(phonemes)
        if len(ids) < 3:
            return np.zeros(0, np.float32), np.zeros(0)
        given = {"ids": np.asarray([ids], np.int64), "speed": np.asarray([speed], np.float32)}
        made = self.sess.run(self._outputs, given)
        frames = made[len(_OUTPUTS)] if len(made) > len(_OUTPUTS) else np.zeros(0)
        parts = (output[0] for output in made[: len(_OUTPUTS)])
        return dsp.synth(*parts, np.random.default_rng(seed)), np.reshape(frames, -1)


def _with_output(model: bytes, name: str) -> bytes:
    """The ONNX model with one more output. Protocol buffers merge what is appended to them.

    ModelProto.graph is field 7, GraphProto.output field 12, ValueInfoProto.name field 1, all of them with a length.
    """
    part = name.encode()
    for field in (1, 12, 7):
        part = bytes([field << 3 | 2, len(part)]) + part
    return model + part


def _read(g2p: G2P, text: str) -> tuple[str, list[tuple[str, int, int]]]:
    """The phonemes as `G2P.__call__` gives them, and of each word as it is read, its text and its span in them."""
    heard: list[tuple[str, int, int]] = []
    phonemes, joined = "", False
    for token in g2p.phonemize_tokens(g2p.tokenize(normalize(text))):
        before = heard.pop() if joined else ("", len(phonemes), 0)
        phonemes += g2p.unk if token.phonemes is None else token.phonemes
        heard.append((before[0] + token.text, before[1], len(phonemes)))
        phonemes += " " if token.whitespace else ""
        joined = not token.whitespace
    return phonemes.rstrip(), heard


def _timed(phonemes: str, heard: list[tuple[str, int, int]], vocab: dict[str, int], ends: np.ndarray) -> list[Word]:
    """The words as they are read, in seconds; none where the model told no durations.

    ends: seconds at which each phoneme that the model knows is over, those of the silences around them included.
    """
    known = np.cumsum([0, *(character in vocab for character in phonemes)])
    if len(ends) != known[-1] + 3:  # the beginning, and the silences before and after
        return []
    return [Word(text, float(ends[1 + known[a]]), float(ends[1 + known[b]])) for text, a, b in heard if b < len(known)]


def _file(voice: str) -> Path:
    told = registry.VOICES[voice]
    return Path(ASSETS if told.get("bundled") else registry.cache_dir(), told["file"])
