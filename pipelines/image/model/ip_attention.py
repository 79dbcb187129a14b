"""How a denoiser looks at pictures beside the prompt: the second cross-attention of IP-Adapter (Ye et al. 2023), for
batches in which every row has pictures of its own, at scales of its own in every block, or none at all.

Attention(q, K, V) + Σ scale · Attention(q, K′, V′). Pictures of one kind are one attention, as diffusers does it for
several pictures of one adapter; those of another kind are another, as it does for several adapters. Where the weights
in a kind differ, a picture's tokens have log(weight) added to their logits: equal weights are diffusers' own formula,
and a picture of weight 0 is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor
from torch.nn import functional

ARGUMENT = "ip_hidden_states"  # the name that diffusers' blocks hand through to processors, and drop for others


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Pictures of one kind, as one row sees them.

    tokens: (T, width). logs: (T,), added to their logits; None: all alike. blocks: names of the attentions that look
    at them; None: all do.
    """

    kind: str
    tokens: Tensor
    scale: float
    logs: Tensor | None = None
    blocks: frozenset[str] | None = None

    def fainter(self, factor: float) -> View:
        return replace(self, scale=self.scale * factor)


Shown = tuple[View, ...]  # all that a row sees
Weights = Mapping[Attention, tuple[str, Tensor, Tensor]]  # of each attention: its name, keys and values (inner, width)


class Sight:
    """What the rows of one batch see; `rows` in the order of the batch."""

    def __init__(self, weights: Weights, rows: Sequence[Shown]):
        kinds = dict.fromkeys(view.kind for row in rows for view in row)
        seen = [[(i, view) for i, row in enumerate(rows) for view in row if view.kind == kind] for kind in kinds]
        self._kinds = [_Kind(weights, views, len(rows)) for views in seen]

    def add(self, attention: Attention, query: Tensor, seen: Tensor) -> Tensor:
        """seen: what the texts gave, and query, both (rows, heads, cells, d). `seen` is written over."""
        for kind in self._kinds:
            kind.add(attention, query, seen)
        return seen


class _Kind:
    def __init__(self, weights: Weights, views: list[tuple[int, View]], rows: int):
        self._weights, self._views = weights, [view for _, view in views]
        device, most = self._views[0].tokens.device, max(len(view.tokens) for view in self._views)
        places = [i for i, _ in views]
        self._places = None if len(places) == rows else torch.tensor(places, device=device)
        self._tokens = torch.stack([_padded(view.tokens, most, 0.0) for view in self._views])
        self._logs = self._bias(most)
        self._known: dict[Attention, tuple[Tensor, Tensor, Tensor] | None] = {}

    def add(self, attention: Attention, query: Tensor, seen: Tensor) -> None:
        if attention not in self._known:
            self._known[attention] = self._made(attention)
        if (known := self._known[attention]) is None:
            return
        keys, values, scale = known
        rows = query if self._places is None else query[self._places]
        found = functional.scaled_dot_product_attention(rows, keys, values, attn_mask=self._logs) * scale
        if self._places is None:
            seen += found
        else:
            seen.index_add_(0, self._places, found)

    def _made(self, attention: Attention) -> tuple[Tensor, Tensor, Tensor] | None:
        """Keys and values (rows, heads, T, d) and scales (rows, 1, 1, 1) of one block, the same at every step."""
        name, *matrices = self._weights[attention]
        scales = [view.scale if view.blocks is None or name in view.blocks else 0.0 for view in self._views]
        if not any(scales):
            return None
        keys, values = (
            functional.linear(self._tokens, matrix).unflatten(-1, (attention.heads, -1)).transpose(1, 2)
            for matrix in matrices
        )
        return keys, values, self._tokens.new_tensor(scales).view(-1, 1, 1, 1)

    def _bias(self, most: int) -> Tensor | None:
        """(rows, 1, 1, T); −∞ where a row has fewer tokens than others."""
        if all(view.logs is None and len(view.tokens) == most for view in self._views):
            return None
        logs = [view.tokens.new_zeros(len(view.tokens)) if view.logs is None else view.logs for view in self._views]
        return torch.stack([_padded(row, most, float("-inf")) for row in logs])[:, None, None]


def _padded(rows: Tensor, length: int, value: float) -> Tensor:
    missing = rows.new_full((length - len(rows), *rows.shape[1:]), value)
    return torch.cat([rows, missing]) if len(missing) else rows


class SeeingProcessor(AttnProcessor2_0):
    """`AttnProcessor2_0` for attentions to the prompt, which also look at pictures where the batch has some."""

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        ip_hidden_states: Sight | None = None,
        **more: Any,
    ) -> Tensor:
        if ip_hidden_states is None:
            return super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask, temb, **more)
        split = attn.to_q(hidden_states), attn.to_k(encoder_hidden_states), attn.to_v(encoder_hidden_states)
        query, key, value = (x.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for x in split)
        if attention_mask is not None and encoder_hidden_states is not None:
            rows, tokens = encoder_hidden_states.shape[:2]
            attention_mask = attn.prepare_attention_mask(attention_mask, tokens, rows)
            attention_mask = attention_mask.view(rows, attn.heads, -1, attention_mask.shape[-1])
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=attention_mask)
        seen = ip_hidden_states.add(attn, query, seen)
        out = attn.to_out[1](attn.to_out[0](seen.transpose(1, 2).flatten(2)))
        return (out + hidden_states if attn.residual_connection else out) / attn.rescale_output_factor
