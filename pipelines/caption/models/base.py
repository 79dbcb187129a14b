"""What all captioners have in common: pictures and words in, scores of the next token out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pipelines.caption import vocabulary
from pipelines.requests import CaptionRequest
from pipelines.runtime import transformers_models
from pipelines.runtime.options import Options

if TYPE_CHECKING:
    from PIL.Image import Image
    from transformers.cache_utils import Cache

    from pipelines.caption.catalog import CaptionEntry

Inputs = dict[str, Tensor]  # of one job; joined along the first axis


class Family:
    """One opened model. J: jobs, R: rows (a row is one candidate of one job), V: size of the vocabulary.

    things: names that the alignment looks for in every picture; none for most captioners.
    crossed: the decoder looks at the picture by cross attention; else picture and prompt are the first tokens.
    """

    crossed = True
    kind = ""  # class of transformers

    def __init__(self, entry: CaptionEntry, options: Options):
        self.entry = entry
        self.model: Any = transformers_models.model(entry, self.kind, options)
        self.tokenizer: Any = transformers_models.tokenizer(entry)
        self.processor: Any = transformers_models.image_processor(entry)
        self.things = vocabulary.beside(entry.folder) if entry.folder else vocabulary.Names()
        self.prepared()

    def prepared(self) -> None:
        """What else a family needs."""

    @property
    def generation(self) -> Any:
        """The model's own rules for what it writes."""
        return self.model.generation_config

    @property
    def ends(self) -> list[int]:
        """Tokens after which nothing comes."""
        end = self.generation.eos_token_id
        end = self.tokenizer.eos_token_id if end is None else end
        return list(end) if isinstance(end, (list, tuple)) else [end]

    def read(self, request: CaptionRequest, picture: Image) -> Inputs:
        """The job's inputs, on the CPU, with 1 as the first axis' length (or as many as the picture has parts)."""
        return dict(self.processor([picture], return_tensors="pt"))

    def start(self, inputs: Inputs) -> Tensor:
        """(J, n): the tokens that the decoder has before it writes."""
        return inputs["input_ids"]

    def prefill(self, inputs: Inputs, cache: Cache) -> tuple[Tensor, Tensor | None]:
        """(J, V) scores of the first token, and what a row must remember beside the cache: (J, …) or None."""
        raise TypeError(self.entry.family)

    def advance(self, ids: Tensor, cache: Cache, length: int, memory: Tensor | None) -> Tensor:
        """(R, V) scores of the token after `ids` (R, 1). length: tokens that the decoder has had, without picture."""
        raise TypeError(self.entry.family)

    def beams(self, inputs: Inputs, **how: Any) -> list[list[int]]:
        """New tokens of all sequences that the library's own `generate` gives, job by job."""
        return self.model.generate(**inputs, do_sample=False, **how).tolist()

    def text(self, ids: Sequence[int]) -> str:
        """What the tokens say."""
        return self.tokenizer.decode(ids, skip_special_tokens=True).strip()

    def joined(self, jobs: Sequence[Inputs]) -> Inputs:
        """One batch on the model's device, floats in its number format."""
        device, dtype = self.model.device, self.model.dtype
        batch = {name: torch.cat([job[name] for job in jobs]) for name in jobs[0]}
        return {name: tensor.to(device, dtype if tensor.is_floating_point() else None)
                for name, tensor in batch.items()}  # fmt: skip

    def seen(self, cache: Cache) -> Tensor:
        """Stands for the encoder's output where its keys and values are known: only its shape is looked at."""
        keys = cache.cross_attention_cache.layers[0].keys
        return keys.new_zeros(1).expand(keys.shape[0], keys.shape[2], keys.shape[1] * keys.shape[3])


def begun(inputs: Inputs, token: int) -> Tensor:
    """(J, 1): every job begins with that token."""
    pixels = inputs["pixel_values"]
    return torch.full((len(pixels), 1), token, dtype=torch.long, device=pixels.device)
