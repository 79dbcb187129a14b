"""3. What scheduling costs. 4. What previews cost, and how soon a cancel is obeyed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Pipe

from pipelines.requests import Priority
from studio.worker.messages import Cancel, Shutdown, Submit, encode
from studio.worker.process import Mailbox
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler, Work
from tests.bench.drive import Drive
from tests.bench.model import Model
from tests.bench.report import Samples

JOBS = 8


def measure(model: Model, samples: Samples, repeats: int) -> None:
    """overhead_fraction: the worker's loop beside the pipeline's step, in UNet time: choosing the batch, counting,
    reporting. sampling_fraction: the pipeline's step beside the UNet: samplers, guidance, the check for NaN."""
    for repeat in range(repeats + 1):
        drive = Drive(model)
        for i in range(JOBS):
            drive.runner.submit(f"j{i}", f"owner{i}", model.request(i, steps=20))
        while sum(task.state is not None for task in drive.runner._tasks.values()) < JOBS:
            drive.runner.advance()
        with _timed(model.pipeline, "step") as step, _timed(model.pipeline.parts.unet, "forward") as unet:
            began = time.perf_counter()
            while len(step) < 20:
                drive.runner.advance()
            whole = time.perf_counter() - began
        if repeat:
            samples.add(overhead_fraction=(whole - sum(step)) / sum(unet),
                        sampling_fraction=(sum(step) - sum(unet)) / sum(unet))  # fmt: skip
    _next(samples)


def _next(samples: Samples) -> None:
    """Milliseconds of `Scheduler.next` with few and with many jobs."""
    for count, owners, key in ((8, 8, "next_ms_8_active"), (1000, 10, "next_ms_1000_queued")):
        line = Scheduler(Capacity())
        for i in range(count):
            line.add(Work(f"j{i}", f"owner{i % owners}", ("prepare", "m"), "m", 1, 1, Priority.NORMAL, 0, 40), 0.0)
        for now in range(400):
            began = time.perf_counter()
            batch = line.next(now)
            samples.add(**{key: 1e3 * (time.perf_counter() - began)})
            line.step(batch, now, 0.1)
            if batch.key[0] == "prepare":
                for id in batch.ids:
                    owner = f"owner{int(id[1:]) % owners}"
                    line.change(Work(id, owner, ("step", "m"), "m", 2, 1000, Priority.NORMAL, 0, 1), now)


def previews(model: Model, samples: Samples, repeats: int) -> None:
    """preview_cost: seconds spent on previews in a second of work, under lasting load: the first half of a run does
    not count, as a device that has rested shows its first previews for free. preview_cost_from_rest: the whole run.
    preview_cost_paired: the same jobs with and without previews; the truth too, but under the noise of the machine."""
    for repeat in range(repeats + 1):
        seconds = {}
        for share in (0.0, 0.008) if repeat % 2 else (0.008, 0.0):
            drive = Drive(model, preview_share=share)
            drive.run((0.0, f"j{i}", f"owner{i}", model.request(i, steps=50)) for i in range(JOBS))
            seconds[share] = drive.seconds
            if share:
                late = [spent for at, spent in drive.shown if at > drive.seconds / 2]
                lasting, whole = sum(late) / (drive.seconds / 2), sum(spent for _, spent in drive.shown)
                shown = len(drive.shown) / drive.seconds
        if repeat:
            samples.add(
                preview_cost=lasting,
                preview_cost_from_rest=whole / seconds[0.008],
                preview_cost_paired=seconds[0.008] / seconds[0.0] - 1,
                previews_a_second=shown,
            )


def cancelling(model: Model, samples: Samples, repeats: int) -> None:
    """Steps of a job that end after its cancel was sent, over the worker's own mailbox; the one under way counts."""
    for repeat in range(repeats):
        with _mailbox(model) as send, _timed(model.pipeline, "step", at=True) as ends:
            send(Submit("j", "ann", model.request(repeat, steps=150).model_dump_json()))
            while len(ends) < 5 + repeat:
                time.sleep(0.001)
            sent = time.perf_counter()
            send(Cancel(["j"]))
            time.sleep(3 * (ends[-1] - ends[0]) / (len(ends) - 1) + 0.05)
            samples.add(steps_after_cancel=sum(end > sent for end in ends))


@contextmanager
def _mailbox(model: Model) -> Iterator[Callable]:
    """The worker's loop in a thread; gives what sends it a message."""
    here, there = Pipe()
    drain = threading.Thread(target=_drain, args=(here,), daemon=True)
    settings = {"shelf": "tests.bench.overhead:shelf_given", "given": model.shelf}
    worker = threading.Thread(target=Mailbox(there, settings).serve, daemon=True)
    drain.start()
    worker.start()
    try:
        yield lambda message: here.send_bytes(encode(message))
    finally:
        here.send_bytes(encode(Shutdown()))
        worker.join(60)
        there.close()
        drain.join(60)


def shelf_given(settings: dict) -> object:
    return settings["given"]


def _drain(connection) -> None:
    try:
        while True:
            connection.recv_bytes()
    except (EOFError, OSError):
        connection.close()


@contextmanager
def _timed(thing: object, method: str, *, at: bool = False) -> Iterator[list[float]]:
    """Seconds of every call of a method; `at`: the moments when the calls ended."""
    seen, call = [], getattr(thing, method)

    def timed(*args: object, **kwargs: object) -> object:
        began = time.perf_counter()
        result = call(*args, **kwargs)
        ended = time.perf_counter()
        seen.append(ended if at else ended - began)
        return result

    object.__setattr__(thing, method, timed)
    try:
        yield seen
    finally:
        object.__delattr__(thing, method)
