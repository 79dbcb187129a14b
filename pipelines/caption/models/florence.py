"""Florence-2 (Xiao et al. 2023) as transformers has it: one model, told by task words what to write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pipelines.caption.models.base import Family, Inputs
from pipelines.requests import CaptionRequest, CaptionStyle

if TYPE_CHECKING:
    from PIL.Image import Image
    from transformers.cache_utils import Cache

OCR = "<OCR>"
TASKS = {CaptionStyle.DETAILED: "<MORE_DETAILED_CAPTION>", CaptionStyle.TAGS: "<OD>",
         CaptionStyle.PROMPT: "<DETAILED_CAPTION>"}  # fmt: skip
_PLACES = re.compile(r"(?:<loc_\d+>)+")


class Florence(Family):
    """Florence2ForConditionalGeneration. Tags are the names of the objects that it finds."""

    kind = "Florence2ForConditionalGeneration"

    def prepared(self) -> None:
        from transformers import Florence2Processor

        self._both = Florence2Processor(image_processor=self.processor, tokenizer=self.tokenizer)

    def read(self, request: CaptionRequest, picture: Image) -> Inputs:
        task = OCR if request.question.strip() else TASKS.get(request.style, "<CAPTION>")
        found = self._both(images=[picture], text=[task], return_tensors="pt")
        return {name: found[name] for name in ("input_ids", "pixel_values")}

    def start(self, inputs: Inputs) -> Tensor:
        ids = inputs["input_ids"]
        return torch.full((len(ids), 1), self.model.config.text_config.decoder_start_token_id, device=ids.device)

    def prefill(self, inputs: Inputs, cache: Cache) -> tuple[Tensor, None]:
        found = self.model(**inputs, decoder_input_ids=self.start(inputs), cache=cache, use_cache=True)
        return found.logits[:, -1], None

    def advance(self, ids: Tensor, cache: Cache, length: int, memory: Tensor | None) -> Tensor:
        language = self.model.model.language_model
        lines = language.decoder(input_ids=ids, encoder_hidden_states=self.seen(cache), cache=cache,
                                 use_cache=True).last_hidden_state  # fmt: skip
        return self.model.lm_head(lines[:, -1])

    def beams(self, inputs: Inputs, **how: Any) -> list[list[int]]:
        return self.model.generate(**inputs, do_sample=False, **how).tolist()

    def text(self, ids: Sequence[int]) -> str:
        """Places of objects are left out; the objects' names are separated by commas, each named once."""
        written = self.tokenizer.decode(ids, skip_special_tokens=False)
        for token in self.tokenizer.all_special_tokens:
            if not _PLACES.fullmatch(token):
                written = written.replace(token, "")
        if not _PLACES.search(written):
            return written.strip()
        names = (name.strip() for name in _PLACES.split(written))
        return ", ".join(dict.fromkeys(name for name in names if name))
