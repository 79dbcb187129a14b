"""BLIP (Li et al. 2022), base, large and our own small one: a text decoder that looks at the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from pipelines.caption.models.base import Family, Inputs, begun

if TYPE_CHECKING:
    from transformers.cache_utils import Cache


class Blip(Family):
    """BlipForConditionalGeneration. Its captions are short ones."""

    kind = "BlipForConditionalGeneration"

    @property
    def generation(self) -> Any:
        return self.model.text_decoder.generation_config

    @property
    def ends(self) -> list[int]:
        return [self.model.config.text_config.sep_token_id]

    def start(self, inputs: Inputs) -> Tensor:
        return begun(inputs, self.model.config.text_config.bos_token_id)

    def prefill(self, inputs: Inputs, cache: Cache) -> tuple[Tensor, None]:
        seen = self.model.vision_model(pixel_values=inputs["pixel_values"]).last_hidden_state
        return self._decoded(self.start(inputs), seen, cache), None

    def advance(self, ids: Tensor, cache: Cache, length: int, memory: Tensor | None) -> Tensor:
        return self._decoded(ids, self.seen(cache), cache)

    def _decoded(self, ids: Tensor, seen: Tensor, cache: Cache) -> Tensor:
        return self.model.text_decoder(input_ids=ids, encoder_hidden_states=seen, cache=cache,
                                       use_cache=True, is_decoder=True, logits_to_keep=1).logits[:, -1]  # fmt: skip
