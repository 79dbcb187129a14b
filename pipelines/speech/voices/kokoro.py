"""Kokoro (82 million parameters, 54 voices in nine languages) through ONNX; voices can be blended."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from kokoro_onnx import SAMPLE_RATE, Kokoro
from kokoro_onnx.session import resolve_providers
from kokoro_onnx.sliding import Timing

from pipelines.errors import ModelUnavailable
from pipelines.speech.catalog import KOKORO, VoiceEntry, kokoro_voices, onnx_file
from pipelines.speech.text import markup, word_timing
from pipelines.speech.voice import Ready, Samples, Spoken, Word
from pipelines.speech.voices import phonemes, torch_voice

_STYLE = 256  # numbers of a style; a voice has one for each number of phonemes


class KokoroVoice(Ready):
    """A `voice.Voice`. The first letter of a voice's name is its language."""

    sample_rate, longest, blends, clones = SAMPLE_RATE, 300, True, False

    def __init__(self, entry: VoiceEntry, options: object = None):
        file, archive = onnx_file(entry.place), _archive(entry)
        self.name, self.voices = entry.name, entry.voices
        # espeak reads kana, and calls every other sign "Chinese letter".
        self.languages = tuple("ja-Hrkt" if language == "ja" else language for language in entry.languages)
        self._styles = _styles(archive, entry)
        session = _session(file)
        self._model = Kokoro.from_session(session, str(archive))
        self._whole_speeds = any(given.name == "speed" and "int" in given.type for given in session.get_inputs())
        self.nbytes = file.stat().st_size + sum(style.nbytes for style in self._styles.values())

    def speak(
        self, text: str, voice: str, speed: float, *, seed: int | None = None, sample: Samples | None = None
    ) -> Spoken:
        shares = markup.blend(voice)
        language = KOKORO.get(next(iter(shares))[:1], KOKORO["a"])[1]
        read = self._read(text, language)
        if not phonemes.heard(read):
            return Spoken(np.zeros(0, np.float32))
        style = sum(np.float32(share) * self._styles[name] for name, share in shares.items())
        given = 1.0 if self._whole_speeds else speed
        # Its own silences after marks would come on top of the plan's, and in some models only.
        made, _, timings = self._model.create_timed(
            read, style, given, is_phonemes=True, trim=False, sentence_pause=0.0, clause_pause=0.0
        )
        sound = torch_voice.stretched(np.asarray(made, np.float32).reshape(-1), SAMPLE_RATE, speed / given)
        ends = _ends(read, timings, len(sound) / max(len(made), 1))
        return Spoken(sound, self._words(text, language, read, ends))

    def _read(self, text: str, language: str) -> str:
        """The phonemes that the model knows."""
        return " ".join(self._model.tokenizer.known(phonemes.read(text, language)).split())

    def _words(self, text: str, language: str, read: str, ends: Sequence[float]) -> list[Word]:
        """When each word is heard; none where the model tells no durations. ends: as `_ends` gives them."""
        if not ends:
            return []
        shown, timed, last = word_timing.words(text), [], ends[0]
        spans = phonemes.spans([self._read(word, language) for word in shown], read)
        for word, (a, b) in zip(shown, spans, strict=True):
            start, last = (ends[a], ends[b]) if a < b else (last, last)
            timed.append(Word(word, start, last))
        return timed


def _ends(read: str, timings: Sequence[Timing], scale: float) -> list[float]:
    """Seconds at which the first phoneme begins, and at which each one is over; empty where no times are told.

    A text that the model takes in parts has lost the spaces between them.
    """
    left, ends = deque(timings), [timing.start * scale for timing in timings[:1]]
    for phoneme in read if left else "":
        told = left and left[0].phoneme == phoneme
        ends.append(left.popleft().end * scale if told else ends[-1])
    return ends


def _session(file: Path) -> onnxruntime.InferenceSession:
    """On as many threads as the studio was given; by itself it would take every core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, resolve_providers())


def _archive(entry: VoiceEntry) -> Path:
    if archive := kokoro_voices(entry.place):
        return archive
    raise ModelUnavailable(f"{entry.name} is incomplete: its voices….bin is missing.")


def _styles(archive: Path, entry: VoiceEntry) -> dict[str, np.ndarray]:
    if not entry.voices:
        raise ModelUnavailable(f"{entry.name} is incomplete: there is no voice in its voices….bin.")
    return {voice: _style(archive, voice, entry.name) for voice in entry.voices}


def _style(archive: Path, voice: str, name: str) -> np.ndarray:
    """(n, 1, 256) float32. Raises ModelUnavailable; never opens a pickle."""
    try:
        with np.load(archive, allow_pickle=False) as found:
            style = np.asarray(found[voice], np.float32)
    except Exception as error:
        raise ModelUnavailable(f"{name} is damaged: its voice {voice} cannot be read.") from error
    if style.ndim != 3 or style.shape[1:] != (1, _STYLE) or not style.size or not np.isfinite(style).all():
        raise ModelUnavailable(f"{name} is damaged: its voice {voice} is not lines of {_STYLE} numbers.")
    return style
