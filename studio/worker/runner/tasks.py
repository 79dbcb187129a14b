"""A job as the worker sees it: its request, its live state, and the scheduled work that its next stage is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipelines.base import Artifact, Pipeline, State
from pipelines.errors import OutOfMemory, TriptychError
from pipelines.requests import Request
from pipelines.runtime.out_of_memory import is_out_of_memory
from studio.worker.runner.health import Unforeseen
from studio.worker.scheduler.scheduler import Work

PREPARE, STEP, FINISH, SCORE = "prepare", "step", "finish", "score"
# steps that nobody shares: those of a pipeline that takes one job at a time (its batch key is None), and those of a job
# over which a worker may have died: should it happen again, it takes nobody along
ALONE = "alone"
SURPRISE = "Something went wrong inside the studio while working on this; the log has the details."
NO_MEMORY = "This does not fit into the memory of the device, not even alone; try a smaller size."
log = logging.getLogger(__name__)


class ModelPool(Protocol):
    """Where pipelines come from: loaded when first asked for, dropped when memory asks for it.

    missing: whether the request's model is not on this machine; fetch, in any thread, brings a model's files.
    memory_budget: bytes for weights and activations; 0: unknown. device_info: name, memory_used, memory_total.
    """

    memory_budget: int

    def missing(self, request: Request) -> bool: ...
    def fetch(self, model: str, progress: Callable[[str, float], None]) -> None: ...
    def pipeline(self, request: Request, progress: Callable[[str, float], None]) -> Pipeline: ...
    def scores(self, request: Request) -> bool: ...  # whether what comes of it is to be compared with its words
    def alignment(self) -> Alignment: ...
    def device_info(self) -> dict: ...


class Alignment(Protocol):
    """What the runner wants of `pipelines.alignment.AlignmentPipeline`."""

    def judge(self, pictures: Sequence, texts: Sequence[str]) -> Sequence: ...
    def agree(self, pictures: Sequence, texts: Sequence, others: Sequence) -> Sequence: ...


@dataclass(slots=True)
class Task:
    """A job inside the worker. `state` (`live`) exists between prepare and the end; `key` is that of its next work.

    artifact: what was made, while it waits to be scored. pieces: how many parts of it were sent ahead.
    said: the last that its state had to say.
    """

    id: str
    owner: str
    request: Request
    attempts: int = 0
    state: State | None = None
    key: Hashable = None
    artifact: Artifact | None = None
    pieces: int = 0
    said: str | None = None
    handed_in: bool = False

    @property
    def live(self) -> State:
        """The state of a job that is prepared."""
        if self.state is None:
            raise RuntimeError(f"{self.id} is not prepared")
        return self.state

    @property
    def stage(self) -> str:
        if self.artifact:
            return SCORE
        if self.state is None:
            return PREPARE
        return STEP if self.state.steps_left else FINISH

    def moved_on(self, pipeline: Pipeline) -> bool:
        """Whether the next work is of another kind than the last."""
        key = self._next_key(pipeline)
        moved, self.key = key != self.key, key
        return moved

    def work(self, pipeline: Pipeline | None = None) -> Work:
        """The work of the job's stage; the first needs no pipeline.

        All but steps are one row; their memory is the pipeline's own care.
        """
        model, priority = self.request.model, self.request.priority
        rows, steps, room, ahead = 1, 1, 0, self._ahead()
        if pipeline and self.stage == STEP:
            rows, steps, ahead = self.live.rows, self.live.steps_left, 1
            room = pipeline.bytes_per_row(pipeline.batch_key(self.live))
        self.key = self._next_key(pipeline)
        return Work(self.id, self.owner, self.key, model, rows, steps, priority, room, ahead)

    def _next_key(self, pipeline: Pipeline | None) -> Hashable:
        if pipeline is None or self.stage == PREPARE:  # so that it is known which preparation leads to which batch
            return PREPARE, self.request.model, self.request.alike
        if self.stage != STEP:
            return self.stage, self.request.model
        key = pipeline.batch_key(self.live)
        return ALONE if self.attempts or key is None else STEP, self.request.model, key

    def _ahead(self) -> int:
        """Rows x steps after a preparation, as far as the request tells."""
        return self.request.expected_rows * self.request.expected_steps + 1 if self.stage == PREPARE else 0


def explain(error: Exception) -> TriptychError:
    """The error as one for a person. What nobody foresaw goes to the log with its traceback."""
    if isinstance(error, TriptychError):
        return error
    if is_out_of_memory(error):
        return OutOfMemory(NO_MEMORY)
    log.error("Unforeseen, while working on a job", exc_info=error)
    return Unforeseen(SURPRISE)
