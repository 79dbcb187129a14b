"""Text to sound, a sentence a step; what is spoken can be heard at once, and the whole is a file at the end."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.base import Artifact, Piece
from pipelines.errors import InvalidRequest, TriptychError
from pipelines.requests import SpeechRequest
from pipelines.runtime.out_of_memory import is_out_of_memory
from pipelines.speech.audio import encoding, segments
from pipelines.speech.audio.mastering import portions
from pipelines.speech.prepare import prepare
from pipelines.speech.state import FETCH, MASTER, SPEAK, SpeechState, Step
from pipelines.speech.text import word_timing
from pipelines.speech.text.plan import Chunk

if TYPE_CHECKING:
    from PIL.Image import Image

    from pipelines.speech.catalog import VoiceEntry
    from pipelines.speech.voice import Voice

_WORKING_MEMORY = 64 * 2**20  # bytes that a voice of this size takes for a sentence
_QUOTED = 80  # characters of a sentence in an error


class SpeechPipeline:
    """A `base.Pipeline` over one voice. Only weights are shared between its states."""

    def __init__(self, voice: Voice, entry: VoiceEntry):
        self.voice, self.entry = voice, entry

    @property
    def nbytes(self) -> int:
        """Of the weights."""
        return self.voice.nbytes

    def check(self, request: SpeechRequest) -> None:
        """InvalidRequest where this model cannot do what the request asks for."""
        self.entry.check(request)

    def prepare(self, request: SpeechRequest, pictures: Mapping[str, bytes]) -> SpeechState:
        """Plans the text. pictures: stored files by their SHA-256, for `voice_sample`.

        Raises InvalidRequest, BadUpload.
        """
        self.check(request)
        return prepare(self.voice, self.entry, request, pictures)

    def batch_key(self, state: SpeechState) -> Hashable:
        """Every job speaks for itself. Another key tells the scheduler of another number of steps: how many its file
        takes is known when all is spoken, and a download that is waited for has not come nearer to its end."""
        return id(state), state.todo[0][0] == MASTER, state.waits % 2

    def step(self, states: Sequence[SpeechState]) -> None:
        """Fetches a megabyte of a voice, speaks a chunk or does a portion of the file.

        Raises OutOfMemory, then nothing has moved; sets `error` of a state whose sentence cannot be spoken.
        """
        for state in states:
            now, waits = state.todo[0], state.waits
            try:
                self._move(state, now)
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                state.error = _failed(state, now, error)
            if state.waits > waits:
                continue
            state.todo.popleft()
            if now[0] == SPEAK and not any(left == SPEAK for left, _ in state.todo):
                state.plan(portions(state.track.seconds, state.request.format))

    def preview(self, state: SpeechState) -> Image | None:
        """A sound has none."""
        return None

    def pieces(self, state: SpeechState) -> list[Piece]:
        """The chunks that were spoken since it was last asked: 16 bit PCM, which laid end to end is the whole."""
        state.pending, ready = [], state.pending
        return ready

    def finish(self, state: SpeechState) -> Artifact:
        """The whole, at its loudness, encoded, with its tags."""
        if state.error:
            raise state.error
        master, request = state.master, state.request
        master.finish()
        state.track.close()
        info = {
            "duration": round(state.track.seconds, 3), "sample_rate": master.rate, "voice": state.voice,
            "speed": request.speed, "seed": request.seed, "model": request.model, "format": request.format.value,
            "characters": len(request.text), "loudness": round(master.levels.integrated, 2),
            "true_peak": round(master.levels.true_peak, 2), "sentences": state.sentences,
            "warnings": list(state.notes), "peaks": master.peaks, "width": 0, "height": 0,
        }  # fmt: skip
        return Artifact("speech", master.media_type, master.file, info)

    def bytes_per_row(self, key: Hashable) -> int:
        """Predicted peak memory of speaking one chunk."""
        return _WORKING_MEMORY

    def _move(self, state: SpeechState, now: Step) -> None:
        if now[0] == FETCH:
            self._fetch(state, now[1])
        elif now[0] == SPEAK:
            self._speak(state, now[1])
        elif not state.master.move():
            state.plan(1)  # this one

    def _fetch(self, state: SpeechState, voice: str) -> None:
        if state.download is None:
            state.download = self.voice.fetch(voice)
        if next(state.download, True) is False:
            state.waits += 1
            return
        if (FETCH, voice) not in list(state.todo)[1:]:  # the last part: the file is put into its place
            for _ in state.download:
                pass
            state.download = None

    def _speak(self, state: SpeechState, number: int) -> None:
        chunk, request, rate = state.chunks[number], state.request, self.voice.sample_rate
        said = self.voice.speak(chunk.text, chunk.voice, request.speed, seed=request.seed, sample=state.sample)
        said = segments.tidy(said, rate)
        if not len(said.samples):
            state.notes.append(
                f"Sentence {chunk.sentence + 1} has no sound: “{encoding.shortened(chunk.text, _QUOTED)}”"
            )
        after = chunk.after / (1.0 if chunk.fixed else request.speed)
        silent = round(chunk.before * rate)
        pcm = segments.pcm(said.samples, silent, round(after * rate))
        start = state.track.seconds + silent / rate
        info = _told(number, chunk, start, start + len(said.samples) / rate)
        timed = said.words or word_timing.estimated(request.text[chunk.start : chunk.end], len(said.samples) / rate)
        info["words"] = [[w.text, round(start + w.start, 3), round(start + w.end, 3)] for w in timed]
        info["words_estimated"] = not said.words
        piece = pcm.tobytes()
        state.track.add(piece)
        state.sentences.append(info)
        part = round(min(1.0, chunk.end / len(request.text.rstrip())), 4)
        seen = {"sample_rate": rate, "voice": chunk.voice, "peaks": segments.of_piece(pcm, rate), "part": part}
        state.pending.append(Piece("audio/L16", piece, info | seen))


def _told(number: int, chunk: Chunk, start: float, end: float) -> dict:
    """Of the heard part, in seconds of the whole; the text is the voice's, the span the request's."""
    return {"index": number, "sentence": chunk.sentence, "text": chunk.text, "span": [chunk.start, chunk.end],
            "start": round(start, 4), "end": round(end, 4), "paragraph": chunk.paragraph}  # fmt: skip


def _failed(state: SpeechState, now: Step, error: Exception) -> TriptychError:
    """Says which sentence it was; keeps the code of our own errors."""
    if now[0] != SPEAK:
        return error if isinstance(error, TriptychError) else TriptychError("The sound file could not be made.")
    ours = error if isinstance(error, TriptychError) and not isinstance(error, InvalidRequest) else None
    chunk = state.chunks[now[1]]
    quoted = encoding.shortened(chunk.text, _QUOTED)
    why = f" ({str(ours).rstrip('.')})" if ours else ""
    said = f"Sentence {chunk.sentence + 1} could not be spoken{why}: “{quoted}”"
    failed = type(ours)(said) if ours else TriptychError(said)
    failed.__cause__ = error
    return failed
