"""Best of n with an early stop: candidates that fall behind in the alignment's eyes give their rows to somebody else.

All candidates of a group are looked at after the same number of steps, each when it comes to it; nobody waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pipelines.alignment.contest import dropped, look_after
from pipelines.base import Foreseeing, Pipeline
from studio.tasks import Alignment, Task, explain

GIVEN_UP = "Given up after {step} of {steps} steps: other candidates agree better with the prompt."


class Contests:
    """`members`: the tasks of a group that are still there."""

    def __init__(self, members: Callable[[str], Iterable[Task]]):
        self._members = members
        self._scores: dict[str, dict[str, float | None]] = {}  # group -> candidate -> cosine, None before the look

    def due(self, tasks: Iterable[Task]) -> list[Task]:
        """Those whose prediction is to be looked at now."""
        return [task for task in tasks if _competes(task) and _step(task) == look_after(_steps(task))]

    def behind(self, pipeline: Pipeline, alignment: Callable[[], Alignment], tasks: Iterable[Task]) -> list[Task]:
        """Looks at those whose time it is; those who are to be given up. Where they cannot be compared, all go on."""
        due = self.due(tasks)
        try:
            return self.looked(pipeline, alignment(), due) if due and isinstance(pipeline, Foreseeing) else []
        except Exception as error:
            explain(error)
            return []

    def looked(self, pipeline: Foreseeing, alignment: Alignment, tasks: Sequence[Task]) -> list[Task]:
        """Scores the predictions; those who are to be given up."""
        pictures = [pipeline.foreseen(task.live) for task in tasks]
        judged = alignment.judge(pictures, [task.request.words for task in tasks])
        for task, found in zip(tasks, judged, strict=True):
            self._group(task)[task.id] = found.cosine
        groups = dict.fromkeys(map(group_of, tasks))
        return [loser for group in groups for loser in self._behind(group)]

    def _group(self, task: Task) -> dict[str, float | None]:
        known = self._scores.setdefault(group_of(task), {})
        for other in self._members(group_of(task)):
            known.setdefault(other.id, None)
        return known

    def _behind(self, group: str) -> list[Task]:
        known, members = self._scores[group], {task.id: task for task in self._members(group)}
        names = list(known)
        behind = [members[names[i]] for i in dropped(list(known.values())) if names[i] in members]
        if all(known[id] is not None for id in members):
            del self._scores[group]
        return behind


def group_of(task: Task) -> str:
    """What candidates that were asked for together share; "" where a job has no rivals."""
    return getattr(task.request, "group", "")


def sentence(task: Task) -> str:
    return GIVEN_UP.format(step=_step(task), steps=_steps(task))


def _competes(task: Task) -> bool:
    return bool(getattr(task.request, "early_stop", False) and group_of(task) and task.state)


def _step(task: Task) -> int:
    return task.live.steps_total - task.live.steps_left


def _steps(task: Task) -> int:
    return task.live.steps_total
