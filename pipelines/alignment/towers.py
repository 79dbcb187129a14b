"""The two towers of a CLIP-like model: pictures and texts in, vectors out. Where CLIP and SigLIP differ is here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pipelines.alignment.scores import Scale
from pipelines.colours import rgb

Pixels = dict[str, Tensor]  # what the image processor gives, one line a picture
ENDS = ".,;:!?。，；：！？、\n"
Span = tuple[int, int]


class Towers:
    """A model with its tokenizer and image processor. Vectors are float32 on the CPU, of unit length."""

    def __init__(self, model: Any, tokenizer: Any, processor: Any):
        self.model, self._tokenizer, self._processor = model, tokenizer, processor
        self.family = model.config.model_type
        longest = model.config.text_config.max_position_embeddings
        self.window = min(longest, tokenizer.model_max_length)
        self._ends = tokenizer.num_special_tokens_to_add()

    @property
    def scale(self) -> Scale:
        bias = getattr(self.model, "logit_bias", None)
        return Scale(float(self.model.logit_scale.exp()), 0.0 if bias is None else float(bias), bias is not None)

    def pixels(self, picture: Image.Image) -> Pixels:
        """One picture as the model wants it, on the CPU."""
        return dict(self._processor([picture if picture.mode == "RGB" else rgb(picture, [])], return_tensors="pt"))

    def view(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The part of a picture of that size that the model sees: left, top, right, bottom in 0…1.

        CLIP's processors cut the middle out of what is not square.
        """
        size, crop = self._processor.size, getattr(self._processor, "crop_size", None)
        if not crop or not getattr(self._processor, "do_center_crop", False):
            return 0.0, 0.0, 1.0, 1.0
        edge = size.get("shortest_edge")
        small = edge / min(width, height) if edge else 0.0
        wide, high = (width * small, height * small) if edge else (size["width"], size["height"])
        x, y = (max(0.0, 0.5 - 0.5 * crop["width"] / wide), max(0.0, 0.5 - 0.5 * crop["height"] / high))
        return x, y, 1.0 - x, 1.0 - y

    def ids(self, text: str) -> list[list[int]]:
        """Token ids of the text, both ends included; several lists where it is longer than the window."""
        found = windows(text, self._offsets(text), self.window - self._ends)
        return self._tokenizer(found, truncation=True, max_length=self.window)["input_ids"]

    def _offsets(self, text: str) -> list[Span]:
        """The characters of each token. Where a tokenizer (SentencePiece) does not tell: those of its whole word."""
        code = partial(self._tokenizer, add_special_tokens=False, verbose=False)
        if self._tokenizer.is_fast:
            return code(text, return_offsets_mapping=True)["offset_mapping"]
        words = re.finditer(r"\S+", text)
        return [word.span() for word in words for _ in code(word.group())["input_ids"]]

    @torch.inference_mode()
    def see(self, pixels: Sequence[Pixels]) -> np.ndarray:
        """(N, D)."""
        return _unit(self.model.get_image_features(**self.joined(pixels)).pooler_output)

    @torch.inference_mode()
    def read(self, ids: Sequence[list[int]]) -> np.ndarray:
        """(N, D). SigLIP was trained on texts that are padded to the window, CLIP does not look behind the end."""
        padding = "longest" if self.family == "clip" else "max_length"
        padded = self._tokenizer.pad({"input_ids": list(ids)}, padding, max_length=self.window, return_tensors="pt")
        wanted = {name: padded[name] for name in self._tokenizer.model_input_names if name in padded}
        moved = {name: tensor.to(self.model.device) for name, tensor in wanted.items()}
        return _unit(self.model.get_text_features(**moved).pooler_output)

    def joined(self, pixels: Sequence[Pixels]) -> Pixels:
        """One batch on the model's device, floats in its number format."""
        batch = {name: torch.cat([one[name] for one in pixels]) for name in pixels[0]}
        device, dtype = self.model.device, self.model.dtype
        return {name: tensor.to(device, dtype if tensor.is_floating_point() else None)
                for name, tensor in batch.items()}  # fmt: skip


def _unit(vectors: Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy()


def windows(text: str, offsets: Sequence[Span], room: int) -> list[str]:
    """`text` in parts of at most `room` ≥ 1 tokens. offsets: the span of characters of each of its tokens.

    A part ends after the last punctuation mark in its second half; else at its last space; else where it is full.
    """
    if len(offsets) <= room:
        return [text]
    found, first = [], 0
    while first < len(offsets):
        after = _cut(text, offsets, first, min(first + room, len(offsets)))
        found.append(text[offsets[first][0] : offsets[after - 1][1]].strip())
        first = after
    return [part for part in found if part] or [text]


def _cut(text: str, offsets: Sequence[Span], first: int, limit: int) -> int:
    """Index of the first token that is not in the part any more; more than `first`."""
    if limit == len(offsets):
        return limit
    middle = first + (limit - first + 1) // 2
    for last in range(limit - 1, middle - 1, -1):
        if text[offsets[last][1] - 1] in ENDS:
            return last + 1
    for after in range(limit, first, -1):
        if offsets[after][0] > offsets[after - 1][1] or text[offsets[after][0]].isspace():
            return after
    return _whole_character(offsets, first, limit)


def _whole_character(offsets: Sequence[Span], first: int, limit: int) -> int:
    """A character of several tokens is not torn apart where that can be helped."""
    for after in range(limit, first, -1):
        if offsets[after][0] >= offsets[after - 1][1]:
            return after
    return limit
