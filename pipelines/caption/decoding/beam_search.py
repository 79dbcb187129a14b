"""Beam search, by the library's own `generate` and as one step: its beams change places at every token.

Taking them apart into blocks would need all of its bookkeeping here. A job asks for beams seldom, and waits longer.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import torch

from pipelines.caption.state import CaptionState

if TYPE_CHECKING:
    from pipelines.caption.models.base import Family


def key(state: CaptionState) -> Hashable:
    """Jobs with equal keys are searched together."""
    request = state.request
    bad = tuple(tuple(ids) for ids in state.bad)
    return "beams", request.beams, given(state), state.limit, bad, state.shape


def given(state: CaptionState) -> int:
    """Candidates: as many as were asked for, but not more than there are beams."""
    return min(state.request.candidates, state.request.beams)


@torch.inference_mode()
def search(family: Family, states: Sequence[CaptionState]) -> None:
    """All captions of states with equal keys, the most probable first. Nothing moves if it raises."""
    first, count = states[0], given(states[0])
    found = family.beams(
        family.joined([state.inputs for state in states]), num_beams=first.request.beams, num_return_sequences=count,
        max_new_tokens=first.limit, bad_words_ids=first.bad or None)  # fmt: skip
    for i, state in enumerate(states):
        state.wrote(found[i * count : (i + 1) * count])
