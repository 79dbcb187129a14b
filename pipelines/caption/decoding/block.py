"""A block of tokens for many jobs at once: one forward a token for all rows, and rows that have ended leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pipelines.caption.decoding import cache as caches
from pipelines.caption.decoding import constraints, sampling
from pipelines.caption.state import BLOCK, CaptionState
from pipelines.errors import NotFinite

if TYPE_CHECKING:
    from transformers import LogitsProcessorList
    from transformers.cache_utils import Cache

    from pipelines.caption.models.base import Family


@dataclass(slots=True)
class Row:
    """A candidate in the making. new: its tokens of this block."""

    job: int
    candidate: int
    new: list[int]
    ended: bool = False
    full: bool = False

    @property
    def done(self) -> bool:
        return self.ended or self.full


@dataclass(slots=True)
class TokenBatch:
    """The rows that are being written, in the order of the tensors' lines. scores: of the next token, if known."""

    rows: list[Row]
    ids: Tensor
    cache: Cache
    memory: Tensor | None
    scores: Tensor | None
    temperatures: Tensor
    draws: Tensor

    def only(self, kept: list[int]) -> None:
        """The other rows leave."""
        index = torch.tensor(kept, device=self.ids.device)
        self.rows, self.cache = [self.rows[i] for i in kept], caches.only(self.cache, index)
        self.ids, self.temperatures, self.draws = self.ids[index], self.temperatures[index], self.draws[index]
        self.memory = None if self.memory is None else self.memory[index]


@torch.inference_mode()
def block(family: Family, states: Sequence[CaptionState]) -> None:
    """Up to 16 tokens for every candidate of states with equal keys. Nothing moves if it raises."""
    batch, ends = _gathered(family, states), set(family.ends)
    limits = [processors(family, state, batch.ids) for state in states]
    everybody = list(batch.rows)
    for i in range(BLOCK):
        _token(family, states, batch, limits, ends, i)
        live = [n for n, row in enumerate(batch.rows) if not row.done]
        if not live:
            break
        if 2 * len(live) <= len(batch.rows):
            batch.only(live)
    live = [n for n, row in enumerate(batch.rows) if not row.done]
    if live and len(live) < len(batch.rows):
        batch.only(live)
    _given_back(states, everybody, batch if live else None)


def processors(family: Family, state: CaptionState, ids: Tensor) -> LogitsProcessorList:
    """What this job may not write."""
    return constraints.processors(family.generation, family.ends, ids.shape[1] - state.produced, state.bad)


def _token(
    family: Family, states: Sequence[CaptionState], batch: TokenBatch, limits: list, ends: set[int], i: int
) -> None:
    scores = batch.scores
    if scores is None:
        scores = family.advance(batch.ids[:, -1:], batch.cache, batch.ids.shape[1] - 1, batch.memory)
    batch.scores = None
    scores = _ruled(scores.float(), batch, limits)
    for row, broken in zip(batch.rows, scores.isnan().any(-1).tolist(), strict=True):
        if broken:
            states[row.job].error = NotFinite("The caption came out broken (NaN); another model may help.")
    tokens = sampling.choose(scores, batch.temperatures, batch.draws[:, i])
    batch.ids = torch.cat([batch.ids, tokens[:, None]], -1)
    for row, token in zip(batch.rows, tokens.tolist(), strict=True):
        if row.done:
            continue
        row.ended = token in ends
        row.new += [] if row.ended else [token]
        row.full = states[row.job].produced + i + 1 >= states[row.job].limit


def _ruled(scores: Tensor, batch: TokenBatch, limits: list[LogitsProcessorList]) -> Tensor:
    if not any(limits):
        return scores
    ruled, first = [], 0
    while first < len(batch.rows):
        job = batch.rows[first].job
        after = next((n for n in range(first, len(batch.rows)) if batch.rows[n].job != job), len(batch.rows))
        ruled.append(limits[job](batch.ids[first:after], scores[first:after]))
        first = after
    return torch.cat(ruled)


def _gathered(family: Family, states: Sequence[CaptionState]) -> TokenBatch:
    counts = [len(state.live) for state in states]
    rows = [Row(job, candidate, []) for job, state in enumerate(states) for candidate in state.live]
    chance = _chance(states)
    if states[0].kept is None:
        return _prefilled(family, states, counts, rows, chance)
    kept = [state.kept for state in states if state.kept is not None]
    ids = torch.cat([state.ids for state in states if state.ids is not None])
    memories = [state.memory for state in states]
    lines = [m.expand(n, *m.shape[1:]) for m, n in zip(memories, counts, strict=True) if m is not None]
    memory = torch.cat(lines) if lines else None
    return TokenBatch(rows, ids, caches.join(kept, counts), memory, None, *(part.to(ids.device) for part in chance))


def _prefilled(family: Family, states: Sequence[CaptionState], counts: list[int], rows: list[Row],
               chance: tuple[Tensor, Tensor]) -> TokenBatch:  # fmt: skip
    """The pictures of all jobs are looked at together, once, however many candidates there are."""
    inputs, cache = family.joined([state.inputs for state in states]), caches.empty(family.crossed)
    scores, memory = family.prefill(inputs, cache)
    ids, chance = family.start(inputs), (chance[0].to(scores.device), chance[1].to(scores.device))
    if all(count == 1 for count in counts):
        return TokenBatch(rows, ids, cache, memory, scores, *chance)
    index = torch.tensor([row.job for row in rows], device=ids.device)
    memory = None if memory is None else memory[index]
    return TokenBatch(rows, ids[index], caches.only(cache, index), memory, scores[index], *chance)


def _chance(states: Sequence[CaptionState]) -> tuple[Tensor, Tensor]:
    """Temperatures, and this block's draws, of every row."""
    draws = [state.draws[state.live, state.produced : state.produced + BLOCK] for state in states]
    return torch.cat([state.temperatures[state.live] for state in states]), torch.cat(draws)


def _given_back(states: Sequence[CaptionState], everybody: list[Row], batch: TokenBatch | None) -> None:
    for row in everybody:
        state = states[row.job]
        state.written[row.candidate] += row.new
        if row.ended:
            state.ended.add(row.candidate)
    rows = batch.rows if batch else []
    counts = [sum(row.job == job for row in rows) for job in range(len(states))]
    kept = caches.split(batch.cache, counts) if batch else [None] * len(states)
    first = 0
    for job, state in enumerate(states):
        some = slice(first, first := first + counts[job])
        state.live = [row.candidate for row in rows[some]]
        state.produced += BLOCK
        state.kept = kept[job] if state.live else None
        state.ids = batch.ids[some] if batch and state.live else None
        state.memory = batch.memory[some][:1] if batch and state.live and batch.memory is not None else None
