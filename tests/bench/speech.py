"""7. Speech: what the studio costs beside the bare voice, how soon one hears, four speakers at once, pictures beside.

Times are processor seconds of this process where two things are compared (the voice works in one thread), so that a
busy machine does not decide; only `speech_first_sound_seconds` is told by the clock on the wall.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from hibari import Hibari

from pipelines.requests import SpeechRequest
from studio.capacity import Capacity
from studio.messages import Chunk, Failed, Finished, Message
from studio.previews import Previews
from studio.runner import Runner
from studio.scheduler import Scheduler
from tests.bench.model import Model
from tests.bench.report import Samples

SENTENCES = (
    "The ferry left the pier at a quarter past seven, when the lamps on the water were still burning.",
    "Anna stood at the rail and counted the windows of the town; there were fewer every year.",
    "Behind her a boy asked his grandfather why the gulls never slept.",
    "The old man, who had mended nets for fifty-two winters, said that somebody had to remember the way home.",
)
PARAGRAPH = " ".join(SENTENCES)
LONG = "\n\n".join([PARAGRAPH] * 6)
SPEAKERS = 4


@dataclass
class Ear:
    """Runs jobs to their end in this process. heard: (job, wall seconds, processor seconds) of every piece, both from
    the start; spoken: processor seconds when the last piece was there; whole: when the last file was."""

    model: Model
    heard: list[tuple[str, float, float]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    spoken: float = 0.0
    whole: float = 0.0

    def run(self, texts: dict[str, str], pictures: int = 0) -> Ear:
        """texts: by job; the owner of each is its name."""
        runner = Runner(self.model.shelf, Scheduler(Capacity()), self._hear, {}, Previews(0.0))
        self._wall, self._work = time.perf_counter(), time.process_time()
        for i in range(pictures):
            runner.submit(f"picture{i}", f"painter{i}", self.model.request(i, steps=20))
        for name, text in texts.items():
            runner.submit(name, name, SpeechRequest(text=text, seed=1, format="wav"))
        while runner.advance():
            continue
        self.whole = time.process_time() - self._work
        return self

    def _hear(self, message: Message) -> None:
        if isinstance(message, Failed):
            raise RuntimeError(message.sentence)
        if isinstance(message, Chunk):
            self.spoken = time.process_time() - self._work
            self.heard.append((message.job_id, time.perf_counter() - self._wall, self.spoken))
            self.order.append("speech")
        if isinstance(message, Finished) and message.job_id.startswith("picture"):
            self.order.append("picture")


def measure(model: Model, samples: Samples, repeats: int) -> None:
    """speech_cost_over_voice: until the last sentence is there, against `hibari` called directly with the same text;
    speech_file_of_voice: what loudness and encoding take beside that. speech_first_of_whole: the first sound against
    the bare voice's whole paragraph."""
    bare = Hibari()
    _bare(bare, PARAGRAPH)
    Ear(model).run({"warm": PARAGRAPH})
    for repeat in range(repeats):
        arms = [lambda: Ear(model).run({"long": LONG}), lambda: _bare(bare, LONG)]
        seen = [arm() for arm in (arms if repeat % 2 else arms[::-1])]
        ours, theirs = seen if repeat % 2 else seen[::-1]
        samples.add(speech_cost_over_voice=ours.spoken / theirs - 1,
                    speech_file_of_voice=(ours.whole - ours.spoken) / theirs)  # fmt: skip
        short, paragraph = Ear(model).run({"short": PARAGRAPH}), _bare(bare, PARAGRAPH)
        samples.add(speech_first_sound_seconds=short.heard[0][1],
                    speech_first_of_whole=short.heard[0][2] / paragraph)  # fmt: skip
        _together(model, samples)


def _together(model: Model, samples: Samples) -> None:
    """Four at once against one after another; the latest first sound of the four; and a speaker who comes when two
    pictures are under way: the first sound, and the share of the sentences that is there before the last picture."""
    texts = {f"speaker{i}": PARAGRAPH for i in range(SPEAKERS)}
    at_once = Ear(model).run(texts)
    in_turn = sum(Ear(model).run({name: text}).whole for name, text in texts.items())
    first = {name: next(wall for job, wall, _ in at_once.heard if job == name) for name in texts}
    samples.add(
        speech_concurrent_of_sequential=at_once.whole / in_turn, speech_first_of_four_seconds=max(first.values())
    )
    mixed = Ear(model).run({"speaker": PARAGRAPH}, pictures=2)
    last = len(mixed.order) - mixed.order[::-1].index("picture")
    share = mixed.order[:last].count("speech") / mixed.order.count("speech")
    samples.add(speech_first_beside_pictures_seconds=mixed.heard[0][1], speech_before_last_picture=share)


def _bare(voice: Hibari, text: str) -> float:
    """Processor seconds of the voice alone, called as its package says."""
    began = time.process_time()
    voice(text, seed=1)
    return time.process_time() - began
