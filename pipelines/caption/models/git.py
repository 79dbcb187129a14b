"""GIT (Wang et al. 2022): one transformer that reads the picture's tokens and goes on in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pipelines.caption.models.base import Family, Inputs, begun

if TYPE_CHECKING:
    from transformers.cache_utils import Cache


class Git(Family):
    """GitForCausalLM. Places in a text are counted without the picture's tokens, as `generate` does."""

    crossed = False
    kind = "GitForCausalLM"

    def start(self, inputs: Inputs) -> Tensor:
        known = self.generation.bos_token_id
        return begun(inputs, self.tokenizer.cls_token_id if known is None else known)

    def prefill(self, inputs: Inputs, cache: Cache) -> tuple[Tensor, None]:
        ids = self.start(inputs)
        return self._decoded(ids, cache, torch.zeros_like(ids), pixel_values=inputs["pixel_values"]), None

    def advance(self, ids: Tensor, cache: Cache, length: int, memory: Tensor | None) -> Tensor:
        return self._decoded(ids, cache, torch.full_like(ids, length))

    def _decoded(self, ids: Tensor, cache: Cache, places: Tensor, **picture: Tensor) -> Tensor:
        return self.model(input_ids=ids, position_ids=places, cache=cache, use_cache=True,
                          logits_to_keep=1, **picture).logits[:, -1]  # fmt: skip
