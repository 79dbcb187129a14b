"""7. Speech: what the studio costs beside the bare voices, how soon one hears, four speakers at once, pictures beside.

Times are processor seconds of this process where two things are compared (the voices work in one thread), so that a
busy machine does not decide; only names that begin with `speech_first_` and end in `_seconds` are told by the clock on
the wall. Piper and Kokoro are compared where their weights are here.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial

from pipelines.requests import SpeechRequest
from studio.worker.messages import Chunk, Failed, Finished, Message
from studio.worker.runner.previews import Previews
from studio.worker.runner.runner import Runner
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler
from tests.bench.model import Model
from tests.bench.report import Samples
from tests.bench.turns import InTurn
from tests.bench.voices import Heard, Speak, direct, listen, table

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
    voice: str = "hibari"
    heard: list[tuple[str, float, float]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    spoken: float = 0.0
    whole: float = 0.0
    sound: float = 0.0

    def run(self, texts: dict[str, str], pictures: int = 0) -> Ear:
        """texts: by job; the owner of each is its name."""
        runner = Runner(self.model.shelf, Scheduler(Capacity()), self._hear, {}, Previews(0.0))
        self._wall, self._work = time.perf_counter(), time.process_time()
        for i in range(pictures):
            runner.submit(f"picture{i}", f"painter{i}", self.model.request(i, steps=20))
        for name, text in texts.items():
            runner.submit(name, name, SpeechRequest(text=text, seed=1, format="wav", model=self.voice))
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
            self.sound += len(message.data) / 2 / message.info["sample_rate"]
            self.order.append("speech")
        if isinstance(message, Finished) and message.job_id.startswith("picture"):
            self.order.append("picture")


def measure(model: Model, samples: Samples, repeats: int) -> None:
    """For `hibari`, the voice that is bundled: speech_cost_over_voice: what the studio takes until the last sentence of
    a long text is there, over the bare voice called directly with the same sentences, in turn; speech_own_share: of
    the same run, all that was not the voice's own call over what was; speech_file_of_voice: what loudness and encoding
    take beside that. speech_first_of_whole: the first sound against the bare voice's whole paragraph,
    speech_first_of_bare: against the bare voice's own first sentence.

    The same of other voices, for a paragraph, with their names; but how long Piper speaks is drawn anew at each call,
    so that two calls differ by more than the studio costs: speech_piper_cost_over_voice is the own share of its runs.
    """
    bare, texts = direct(), {"a paragraph": PARAGRAPH, "a long text": LONG}
    for id, speak, rate in bare.values():
        listen(speak(SENTENCES[2]), rate)
        Ear(model, id).run({"warm": SENTENCES[2]})
    seen: dict[str, dict[str, list[Heard]]] = defaultdict(lambda: defaultdict(list))
    for repeat in range(repeats):
        for name, (id, speak, rate) in bare.items():
            if name == "hibari":
                arms = [lambda: Ear(model, id).run({"job": PARAGRAPH}), lambda: listen(speak(PARAGRAPH), rate)]  # noqa: B023
                done = [arm() for arm in (arms if repeat % 2 else arms[::-1])]
                ours, theirs = done if repeat % 2 else done[::-1]
                _soon(samples, ours, theirs)
                _seen(seen["a paragraph"], name, Heard(ours.heard[0][2], ours.spoken, ours.sound), theirs)
            text = "a long text" if name == "hibari" else "a paragraph"
            turns = InTurn(model, id, partial(_bare, speak, rate)).run(texts[text], ours_first=bool(repeat % 2))
            _compared(samples, name, turns)
            _seen(seen[text], name, turns.ours, turns.theirs)
        _together(model, samples)
    print(table(seen, texts), flush=True)


def _bare(speak: Speak, rate: int, text: str) -> Heard:
    return listen(speak(text), rate)


def _seen(by: dict[str, list[Heard]], name: str, ours: Heard, theirs: Heard) -> None:
    by[f"{name} itself"].append(theirs)
    by[f"the studio, {name}"].append(ours)


def _soon(samples: Samples, ours: Ear, theirs: Heard) -> None:
    first = ours.heard[0][2]
    samples.add(speech_first_sound_seconds=ours.heard[0][1], speech_first_sound_work_seconds=first,
                speech_first_of_whole=first / theirs.work, speech_first_of_bare=first / theirs.first)  # fmt: skip


def _compared(samples: Samples, name: str, turns: InTurn) -> None:
    ours, theirs = turns.ours, turns.theirs
    if name == "hibari":
        samples.add(speech_cost_over_voice=ours.work / theirs.work - 1, speech_own_share=turns.share,
                    speech_file_of_voice=turns.file / theirs.work)  # fmt: skip
    else:
        first = ours.first / theirs.work
        samples.add(**{f"speech_{name}_cost_over_voice": turns.share, f"speech_{name}_first_of_whole": first})


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
