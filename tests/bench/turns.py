"""A job of the studio whose sentences take turns with the bare voice: what slows the machine down for a moment slows
down both, where two runs one after the other differ by more than what is looked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipelines.requests import SpeechRequest
from pipelines.speech.voice import Voice
from studio.worker.messages import Chunk, Failed, Message
from studio.worker.runner.previews import Previews
from studio.worker.runner.runner import Runner
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler
from tests.bench.model import Model
from tests.bench.voices import Heard


class InTurn:
    """bare: speaks a text with the bare voice.

    Once it has run: ours, theirs: both over the whole text, each with its processor seconds alone; inside: those of
    ours that were the voice's own call; file: those from the last sentence to the whole file.
    """

    def __init__(self, model: Model, voice: str, bare: Callable[[str], Heard]):
        self._model, self._voice, self._bare = model, voice, bare
        self.ours = self.theirs = Heard(0.0, 0.0, 0.0)
        self.inside = self.file = 0.0

    @property
    def share(self) -> float:
        """All that the studio does beside the voice's own call, over that call, within one run."""
        return self.ours.work / self.inside - 1

    def run(self, text: str, ours_first: bool) -> InTurn:
        """ours_first: of each sentence; to be changed from run to run, as what comes second finds warm caches."""
        request = SpeechRequest(text=text, seed=1, format="wav", model=self._voice)
        pipeline = self._model.shelf.pipeline(request, lambda text, part: None)
        self._left = iter([chunk.text for chunk in pipeline.prepare(request, {}).chunks])
        runner = Runner(self._model.shelf, Scheduler(Capacity()), self._hear, {}, Previews(0.0))
        with self._timed(pipeline.voice):
            if not ours_first:
                self._their_turn()
            self._began = time.process_time()
            runner.submit("job", "job", request)
            while runner.advance():
                continue
        self.file = time.process_time() - self._began
        return self

    def _hear(self, message: Message) -> None:
        if isinstance(message, Failed):
            raise RuntimeError(message.sentence)
        if isinstance(message, Chunk):
            work, sound = time.process_time() - self._began, len(message.data) / 2 / message.info["sample_rate"]
            self.ours = _together(self.ours, Heard(work, work, sound))
            self._their_turn()
            self._began = time.process_time()

    def _their_turn(self) -> None:
        if text := next(self._left, ""):
            self.theirs = _together(self.theirs, self._bare(text))

    @contextmanager
    def _timed(self, voice: Voice) -> Iterator[None]:
        speak = voice.speak

        def timed(*given, **more):
            began = time.process_time()
            spoken = speak(*given, **more)
            self.inside += time.process_time() - began
            return spoken

        voice.speak = timed
        try:
            yield
        finally:
            del voice.speak  # the method is there again


def _together(one: Heard, more: Heard) -> Heard:
    return Heard(one.first or more.first, one.work + more.work, one.sound + more.sound)
