"""Best of eight with an early stop: what it saves, and whether the same picture wins.

Nothing is drawn twice: a picture is the same whatever it is batched with, so the candidates are drawn to their end, and
the rule is asked at its third which of them it would have given up. What is saved is counted in the scheduler's rows.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import islice, product

from PIL import Image

from pipelines.requests import ImageRequest
from studio.worker.runner.early_stop import dropped, look_after
from studio.worker.runner.tasks import STEP
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler, StepBatch
from tests.bench.drive import Drive
from tests.bench.model import Model
from tests.bench.report import Samples

CANDIDATES, STEPS, GUIDANCE, AT_ONCE = 8, 20, 4.0, 10  # AT_ONCE: prompts of one repeat
COLOURS = ("red", "green", "blue", "yellow", "orange", "purple", "pink", "brown", "black", "white")
THINGS = ("apple", "house", "cat", "car", "tree", "heart", "fish", "flower", "boat", "star")
PROMPTS = [f"a {colour} {thing}" for thing, colour in product(THINGS, COLOURS)]


def measure(model: Model, samples: Samples, repeats: int) -> None:
    """early_stop_rows_saved: part of all rows; early_stop_same_winner: part of the prompts (10 a repeat, 100 at most)
    whose best picture is among those kept; early_stop_chance: what keeping as many at random would give.
    """
    samples.add(early_stop_rows_saved=1 - _rows(model, True) / _rows(model, False))
    asked = islice(((seed, prompt) for seed in range(10) for prompt in PROMPTS), AT_ONCE * repeats)
    kept, same = [], []
    for seed, prompt in asked:
        early, late = _judged(model, prompt, 1000 * seed + 1)
        gone = dropped(early)
        winner = max(range(CANDIDATES), key=lambda i, late=late: late[i])
        kept.append(1 - len(gone) / CANDIDATES)
        same.append(winner not in gone)
    samples.add(early_stop_same_winner=sum(same) / len(same), early_stop_chance=sum(kept) / len(kept),
                early_stop_prompts=len(same))  # fmt: skip


class Counting(Scheduler):
    """rows: of all denoising steps."""

    rows = 0

    def step(self, batch: StepBatch, now: float, seconds: float) -> None:
        self.rows += batch.rows if batch.key[0] == STEP else 0
        super().step(batch, now, seconds)


def _request(model: Model, prompt: str, seed: int, early_stop: bool) -> ImageRequest:
    wanted = {"prompt": prompt, "seed": seed, "count": CANDIDATES, "early_stop": early_stop}
    return model.request(steps=STEPS, guidance_scale=GUIDANCE).model_copy(update=wanted)


def _rows(model: Model, early_stop: bool) -> int:
    """Rows that the scheduler has served for one request of eight."""
    counting = Counting(Capacity())
    jobs = _request(model, PROMPTS[0], 1, early_stop).singles()
    Drive(model, counting).run((0.0, str(number), "me", job) for number, job in enumerate(jobs))
    return counting.rows


def _judged(model: Model, prompt: str, seed: int) -> tuple[list[float], list[float]]:
    """The cosines of the predictions after a third of the steps, and of the pictures."""
    pipeline, judge = model.pipeline, model.shelf.alignment().judge
    states = [pipeline.prepare(job, {}) for job in _request(model, prompt, seed, False).singles()]
    for _ in range(look_after(STEPS)):
        pipeline.step(states)
    early = _cosines(judge([pipeline.foreseen(state) for state in states], [prompt] * CANDIDATES))
    while states[0].steps_left:
        pipeline.step(states)
    made = [Image.open(io.BytesIO(pipeline.finish(state).data)).convert("RGB") for state in states]
    return early, _cosines(judge(made, [prompt] * CANDIDATES))


def _cosines(judged: Sequence) -> list[float]:
    return [float(one.cosine) for one in judged]
