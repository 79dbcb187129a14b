"""The automatic gate between the texts and the pictures of a prompt: early predictions are looked at, and what is being
drowned is raised."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, cast

from pipelines.base import Foreseeing, Pipeline
from pipelines.requests import ImageRequest, Role
from studio.worker.runner.scoring import PROMPT, heard, opened
from studio.worker.runner.tasks import Alignment, Task, explain

LOOKS = (1 / 5, 2 / 5)  # parts of the steps: before, there is nothing to see, and later the gate moves little
LEAN = 0.55  # how much more texts are heard than pictures, each on its own scale, where both are seen alike
REACH = 0.5  # how far the gate goes for a difference of 1
LIMITS = (0.25, 0.75)  # beyond them the other one falls silent: the curve in the card of the bundled model


class Gated(Protocol):
    """The state of a picture whose gate may be turned."""

    @property
    def request(self) -> ImageRequest: ...
    @property
    def gate(self) -> float: ...


class AutoGates:
    """files: stored pictures by their SHA-256. Where the alignment cannot look, gates stay as they are."""

    def __init__(self, files: Mapping[str, bytes]):
        self._files = files

    def turn(self, pipeline: Pipeline, alignment: Callable[[], Alignment], tasks: Iterable[Task]) -> None:
        """Looks at those whose time it is, and turns their gates."""
        due = [state for task in tasks if (state := _due(task))]
        if due and isinstance(pipeline, Foreseeing):
            self._turn(pipeline, alignment, [state for state in due if pipeline.weighs(state)])

    def _turn(self, pipeline: Foreseeing, alignment: Callable[[], Alignment], due: Sequence[Gated]) -> None:
        if not due:
            return
        try:
            asked = [self._asked(state.request) for state in due]
            seen = [pipeline.foreseen(state) for state in due]
            found = alignment().agree(seen, [texts for texts, _ in asked], [shown for _, shown in asked])
            for state, (texts, _), agreed in zip(due, asked, found, strict=True):
                said, shown = _mean(agreed[: len(texts)]), _mean(agreed[len(texts) :])
                pipeline.turn(state, moved(state.gate, said, shown))
        except Exception as error:
            explain(error)

    def _asked(self, request: ImageRequest) -> tuple[list[str], list]:
        """What is to be heard: texts and pictures, but those that say what not to show, or where to begin."""
        texts, _ = heard(request)
        said = [text for i, text in texts.items() if i == PROMPT or request.parts[i].role != Role.NOT]
        shown = [part.picture for part in request.shown_parts if part.picture and part.role != Role.NOT]
        return said, [opened(self._files[sha]) for sha in shown]


def moved(gate: float, texts: float, pictures: float) -> float:
    """The gate, nearer to those that are heard less. texts, pictures: how well they are heard, 0…1."""
    least, most = min(gate, LIMITS[0]), max(gate, LIMITS[1])  # where a person began beyond them, that stands
    return min(max(gate + REACH * (texts - pictures - LEAN), least), most)


def looks(steps: int) -> set[int]:
    """After how many steps the predictions are looked at."""
    return {math.ceil(steps * part) for part in LOOKS} - {0, steps}


def _due(task: Task) -> Gated | None:
    state = task.state
    if not getattr(task.request, "auto_gate", False) or state is None:
        return None
    early = state.steps_total - state.steps_left in looks(state.steps_total)
    return cast(Gated, state) if early else None  # only pictures have an automatic gate


def _mean(agreed: Sequence) -> float:
    return sum(each.heard for each in agreed) / len(agreed)
