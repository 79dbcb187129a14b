"""Pictures of several sizes in line: each size fills batches of its own."""

from __future__ import annotations

from pipelines.requests import CaptionRequest, ImageRequest
from studio.worker.runner.tasks import Task
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler, Work

STEPS, JOBS, SIZES = 20, 48, (256, 320, 384, 448)


def test_a_preparation_says_which_batch_it_leads_to():
    keys = {size: Task("j", "ann", ImageRequest(width=size, height=256)).work().key for size in (256, 512)}
    assert keys[256] != keys[512]
    assert Task("k", "bob", ImageRequest(width=512, height=256, steps=3)).work().key == keys[512]
    first, second = (Task("c", "ann", CaptionRequest(picture=letter * 64)).work().key for letter in "ab")
    assert first == second


def test_four_sizes_in_turns_fill_their_batches():
    """With one preparation line for all sizes, steps had two or three rows; now nearly eight."""
    line = Scheduler(Capacity())
    requests = [ImageRequest(width=SIZES[i * 7 // 3 % 4], steps=STEPS) for i in range(JOBS)]
    tasks = {f"j{i}": Task(f"j{i}", f"owner{i % 8}", request) for i, request in enumerate(requests)}
    for task in tasks.values():
        line.add(task.work(), 0.0)
    widths, now = [], 0.0
    while batch := line.next(now):
        seconds = 0.02 + 0.01 * batch.rows
        now += seconds
        line.step(batch, now, seconds)
        if batch.key[0] == "step":
            widths.append(batch.rows)
        for id in batch.ids:
            _moved(line, tasks[id], batch.key[0], now)
    assert sum(widths) == JOBS * STEPS
    assert sum(widths) / len(widths) >= 7


def _moved(line: Scheduler, task: Task, stage: str, now: float) -> None:
    if stage == "prepare":
        key = ("step", task.request.model, task.request.alike)
        line.change(Work(task.id, task.owner, key, task.request.model, 1, STEPS, task.request.priority, 0, 0), now)
    elif not line._jobs[task.id].left:
        line.finish(task.id)
