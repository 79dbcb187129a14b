"""ViT-GPT2 and its kin: any vision encoder of transformers with a text decoder that looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from pipelines.caption.models.base import Family, Inputs, begun

if TYPE_CHECKING:
    from transformers.cache_utils import Cache


class VitGpt2(Family):
    """VisionEncoderDecoderModel. Its captions are short ones."""

    kind = "VisionEncoderDecoderModel"

    def start(self, inputs: Inputs) -> Tensor:
        rules, config = self.generation, self.model.config
        known = (rules.decoder_start_token_id, getattr(config, "decoder_start_token_id", None), rules.bos_token_id,
                 getattr(config.decoder, "bos_token_id", None))  # fmt: skip
        return begun(inputs, next(token for token in known if token is not None))

    def prefill(self, inputs: Inputs, cache: Cache) -> tuple[Tensor, None]:
        seen = self.model.encoder(pixel_values=inputs["pixel_values"]).last_hidden_state
        decoder = self.model.decoder.config
        same = self.model.encoder.config.hidden_size == decoder.hidden_size
        if not same and getattr(decoder, "cross_attention_hidden_size", None) is None:
            seen = self.model.enc_to_dec_proj(seen)
        return self._decoded(self.start(inputs), seen, cache), None

    def advance(self, ids: Tensor, cache: Cache, length: int, memory: Tensor | None) -> Tensor:
        return self._decoded(ids, self.seen(cache), cache)

    def _decoded(self, ids: Tensor, seen: Tensor, cache: Cache) -> Tensor:
        return self.model.decoder(input_ids=ids, encoder_hidden_states=seen, cache=cache, use_cache=True).logits[:, -1]
