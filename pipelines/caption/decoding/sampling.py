"""From scores to the next token: the best one, or one drawn at random that a seed decides."""

from __future__ import annotations

import torch
from torch import Tensor

TOP_K, TOP_P = 50, 0.95  # what the library's own sampling keeps by default; the nucleus of Holtzman et al. 2020
DIVERSE = 0.9  # temperature of the further candidates where greedy decoding was asked for


def uniforms(seed: int, candidates: int, tokens: int) -> Tensor:
    """(candidates, tokens) in 0…1, float64: all the chance a job needs, so that its neighbours do not change it."""
    draws = torch.Generator().manual_seed(seed)
    return torch.rand((candidates, tokens), generator=draws, dtype=torch.float64)


def choose(scores: Tensor, temperatures: Tensor, draws: Tensor) -> Tensor:
    """(R,) token ids. scores: (R, V) float32; temperatures: (R,), 0 takes the best; draws: (R,) in 0…1."""
    best = scores.argmax(-1)
    drawn = temperatures > 0
    if drawn.any():
        best[drawn] = _drawn(scores[drawn], temperatures[drawn], draws[drawn])
    return best


def _drawn(scores: Tensor, temperatures: Tensor, draws: Tensor) -> Tensor:
    """By the inverse of the cumulated probabilities, most probable first."""
    values, tokens = scores.topk(min(TOP_K, scores.shape[-1]), dim=-1)
    shares = (values.double() / temperatures[:, None].double()).softmax(-1)
    before = shares.cumsum(-1) - shares
    shares = shares * (before < TOP_P)
    reached = shares.cumsum(-1)
    place = (reached < draws[:, None] * reached[:, -1:]).sum(-1)
    return tokens.gather(-1, place.clamp(max=shares.shape[-1] - 1)[:, None])[:, 0]
