"""The loop over stages: each move takes the next batch through one piece of work.

A job goes through prepare, step × n, finish and, where its kind wants that, score. Each of them is scheduled work with
a batch key of its own, so a picture that is being decoded never holds up the steps of others for more than that piece.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from pipelines.base import Artifact, Pipeline
from pipelines.errors import OutOfMemory, TriptychError
from pipelines.requests import Request
from pipelines.runtime.out_of_memory import release
from studio.worker.messages import AtWork, Begun, Chunk, Failed, Finished, GivenUp, Message, Note, Preview
from studio.worker.runner import batch_step, previews
from studio.worker.runner.auto_gate import AutoGates
from studio.worker.runner.downloads import Downloads
from studio.worker.runner.early_stop import EarlyStops, group_of, sentence
from studio.worker.runner.health import Health
from studio.worker.runner.previews import Previews
from studio.worker.runner.reports import Reports
from studio.worker.runner.scoring import scored
from studio.worker.runner.tasks import FINISH, NO_MEMORY, PREPARE, SCORE, STEP, ModelPool, Task, explain
from studio.worker.scheduler.scheduler import Scheduler, StepBatch


class Runner:
    """Owns the tasks. Single-threaded; every method is called between two pieces of work.

    peak: bytes that the work since its last call took for a moment, beside what is held; 0 where nobody knows.
    """

    def __init__(
        self,
        shelf: ModelPool,
        scheduler: Scheduler,
        emit: Callable[[Message], None],
        pictures: Mapping[str, bytes],
        shown: Previews,
        clock: Callable[[], float] = time.monotonic,
        peak: Callable[[], int] = lambda: 0,
    ):
        self._shelf, self._scheduler, self._emit = shelf, scheduler, emit
        self._pictures, self._shown, self._clock, self._peak = pictures, shown, clock, peak
        self._tasks: dict[str, Task] = {}
        self._model: str | None = None
        self._at_work: tuple[str, ...] = ()
        self._reports = Reports(emit, scheduler, shelf.device_info)
        self.health = Health()
        self._contests, self._gates = EarlyStops(self._group), AutoGates(pictures)
        self._fetching = Downloads(shelf, scheduler, emit)
        self._stages = {PREPARE: self._prepare, STEP: self._step, FINISH: self._finish, SCORE: self._score}

    def submit(self, job_id: str, owner: str, request: Request, attempts: int = 0) -> None:
        task = self._tasks[job_id] = Task(job_id, owner, request, attempts)
        try:
            self._scheduler.add(task.work(), self._clock())
        except TriptychError as error:
            self._fail(task, error)

    def cancel(self, *job_ids: str) -> None:
        """Takes effect before the next step; the jobs' memory is free at once."""
        for job_id in job_ids:
            if job_id in self._tasks:
                self._scheduler.cancel(job_id)
                self._drop(job_id)

    def pause(self, job_id: str) -> None:
        self._scheduler.pause(job_id, self._clock())

    def resume(self, job_id: str) -> None:
        self._scheduler.resume(job_id, self._clock())

    def reorder(self, owner: str, job_ids: Sequence[str]) -> None:
        self._scheduler.reorder(owner, [id for id in job_ids if id in self._tasks])

    def advance(self) -> bool:
        """One piece of work; False if there is none."""
        for job_id, failure in self._fetching.news():
            self._fail(self._tasks[job_id], explain(failure))
        batch = self._scheduler.next(self._clock())
        if batch is None:
            return False
        tasks = [self._tasks[id] for id in batch.ids]
        try:
            if not self._fetching.holds(tasks):
                self._work(batch, tasks)
        except Exception as error:
            reason = explain(error)
        else:
            reason = None
        if reason:
            self._broken(batch, tasks, reason)
        self.report()
        return True

    def _broken(self, batch: StepBatch, tasks: Sequence[Task], reason: TriptychError) -> None:
        """Where memory is short, smaller batches are tried before anybody fails."""
        if isinstance(reason, OutOfMemory):
            reason = OutOfMemory(NO_MEMORY)  # not the error itself, which holds on to what is to be released
            release()
            if self._scheduler.out_of_memory(batch):
                return
            tasks = tasks[:1]
        for task in tasks:
            self._fail(task, reason)

    @property
    def occupied(self) -> bool:
        """Whether there are jobs, also such as rest."""
        return bool(self._tasks)

    @property
    def fetching(self) -> bool:
        """Whether a model is on its way, so that `advance` may find work which nobody has sent."""
        return self._fetching.busy

    def rest(self) -> None:
        """The work has run out: tell the last of it."""
        self._shown.rest()
        self.report(at_once=True)

    def report(self, *, at_once: bool = False) -> None:
        self._reports.progress(self._clock(), at_once=at_once)
        self._reports.stats(self._clock, self._model, at_once=at_once)

    def _work(self, batch: StepBatch, tasks: Sequence[Task]) -> None:
        if batch.ids != self._at_work:
            self._at_work = batch.ids
            self._emit(AtWork(list(batch.ids)))
        stage, began = tasks[0].stage, self._clock()
        pipeline = self._pipeline(tasks[0])
        self._peak()  # from here on
        self._stages[stage](pipeline, tasks)
        if stage == STEP and (taken := self._peak()):
            self._scheduler.capacity.measured(batch.key, batch.rows, taken)
        now = self._clock()
        self._scheduler.step(batch, now, now - began)
        for task in tasks:
            self._move_on(stage, pipeline, task, now)
        if stage == STEP:
            self._look(pipeline, [task for task in tasks if task.id in self._tasks])
            self._show(pipeline, tasks, now - began)

    def _pipeline(self, task: Task) -> Pipeline:
        """Asked for at every piece of work, so that a pipeline which was evicted is loaded again."""
        if task.state is None:
            self._emit(Begun(task.id))
        self._model = task.request.model
        return self._shelf.pipeline(task.request, lambda text, part: self._emit(Note(task.id, f"{text} {part:.0%}")))

    def _prepare(self, pipeline: Pipeline, tasks: Sequence[Task]) -> None:
        (task,) = tasks
        pipeline.check(task.request)
        task.state = pipeline.prepare(task.request, self._pictures)
        self._tell(task)

    def _step(self, pipeline: Pipeline, tasks: Sequence[Task]) -> None:
        batch_step.step(pipeline, [task.live for task in tasks])

    def _finish(self, pipeline: Pipeline, tasks: Sequence[Task]) -> None:
        (task,) = tasks
        made = pipeline.finish(task.live)
        if self._shelf.scores(task.request):
            task.artifact = made
        else:
            self._hand_in(task, made)

    def _score(self, pipeline: Pipeline, tasks: Sequence[Task]) -> None:
        """A picture that could not be scored is still a picture."""
        made = [task.artifact for task in tasks if task.artifact]
        try:
            made = scored(self._shelf.alignment(), made, [task.request for task in tasks], self._pictures)
        except Exception as error:
            explain(error)
        for task, artifact in zip(tasks, made, strict=True):
            self._hand_in(task, artifact)

    def _hand_in(self, task: Task, made: Artifact) -> None:
        self._emit(Finished(task.id, made.kind, made.media_type, made.data, made.info, made.vector))
        task.handed_in = True
        self.health.finished()

    def _move_on(self, stage: str, pipeline: Pipeline, task: Task, now: float) -> None:
        if task.handed_in:
            self._scheduler.finish(task.id)
            return self._drop(task.id)
        state = task.live
        if stage == STEP:
            self._send_pieces(pipeline, task)
            self._tell(task)
        if state.error:
            return self._fail(task, state.error)
        self._reports.moved(task.id, state.steps_total - state.steps_left, state.steps_total)
        try:
            if task.moved_on(pipeline):
                self._scheduler.change(task.work(pipeline), now)
        except TriptychError as error:
            self._fail(task, error)

    def _group(self, name: str) -> list[Task]:
        return [task for task in self._tasks.values() if group_of(task) == name]

    def _look(self, pipeline: Pipeline, tasks: Sequence[Task]) -> None:
        """Gates are turned to what is being drowned; candidates that have fallen behind leave."""
        self._gates.turn(pipeline, self._shelf.alignment, tasks)
        for task in self._contests.behind(pipeline, self._shelf.alignment, tasks):
            self._emit(GivenUp(task.id, sentence(task)))
            self._scheduler.finish(task.id)
            self._drop(task.id)

    def _tell(self, task: Task) -> None:
        """What a state has to say for itself, when it has changed."""
        said = getattr(task.state, "doing", None) or "; ".join(task.live.notes)
        if said != task.said:
            task.said = said
            self._emit(Note(task.id, said))

    def _send_pieces(self, pipeline: Pipeline, task: Task) -> None:
        for piece in pipeline.pieces(task.live):
            self._emit(Chunk(task.id, task.pieces, piece.media_type, piece.data, piece.info))
            task.pieces += 1

    def _show(self, pipeline: Pipeline, tasks: Sequence[Task], seconds: float) -> None:
        """At most one preview after a step, of whoever has waited longest to be seen."""
        began = self._clock()
        self._shown.earn(seconds)
        states = {task.id: task.live for task in tasks if task.id in self._tasks and task.live.steps_left}
        chosen = self._shown.choose(states, began)
        if chosen is None:
            return
        try:
            image = pipeline.preview(states[chosen])
            if image is None:  # a sound has none, and it costs nothing
                return
            self._emit(Preview(chosen, previews.MEDIA_TYPE, previews.encode(image)))
        except Exception as error:  # a picture without a preview is still a picture
            explain(error)
        now = self._clock()
        self._shown.pay(chosen, now, now - began)

    def _fail(self, task: Task, error: TriptychError) -> None:
        self.health.failed(error)
        self._emit(Failed(task.id, error.code, str(error)))
        self._scheduler.finish(task.id)
        self._drop(task.id)

    def _drop(self, job_id: str) -> None:
        del self._tasks[job_id]
        self._shown.forget(job_id)
        self._reports.forget(job_id)
        self._fetching.leave(job_id)
