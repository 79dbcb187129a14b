"""One step of several jobs at once, in which one that breaks must not take the others along."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.base import Pipeline, State
from pipelines.runtime.out_of_memory import is_out_of_memory
from studio.worker.runner.tasks import explain


def step(pipeline: Pipeline, states: Sequence[State]) -> None:
    """Every state takes a step, or has an `error`. Raises what the pipeline raises where no state is to blame."""
    before = [state.steps_left for state in states]
    try:
        pipeline.step(states)
    except Exception as error:
        if len(states) == 1 or is_out_of_memory(error):
            raise
        explain(error)
        one_by_one(pipeline, [state for state, left in zip(states, before, strict=True) if state.steps_left == left])


def one_by_one(pipeline: Pipeline, states: Sequence[State]) -> None:
    """Somebody in the batch breaks it: those that have not moved step alone, and only the culprit fails."""
    for state in states:
        try:
            pipeline.step([state])
        except Exception as error:
            state.error = explain(error)
