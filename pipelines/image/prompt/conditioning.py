"""Prompts -> what the UNet is conditioned on, exactly as diffusers' own pipelines do it for prompts that fit.

Longer prompts are read in windows whose embeddings stand one after another (as AUTOMATIC1111 and compel do); weights
scale each token's distance from the embedding of the empty prompt (as ComfyUI does), which keeps the mean in place.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pipelines.image.interpolation import slerp
from pipelines.image.prompt import prompts

if TYPE_CHECKING:
    from pipelines.image.model.ip_attention import Shown
    from pipelines.image.model.parts import Parts

MAX_WINDOWS = 8  # a 10,000-character prompt would otherwise cost more attention than its picture
CACHED_TEXTS = 64
Pieces = tuple[prompts.Piece, ...]
NOTHING: Pieces = (prompts.Piece(""),)


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """embeds: (1, tokens, width); pooled: (1, width) or None (one text encoder)."""

    embeds: Tensor
    pooled: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Conditioning:
    """Of one job. negative: None without guidance. sizes: SDXL's (1, 6) time ids. scale_embedding: (1, n), LCM.

    beside: (1, c, h, w), what the UNet sees beside the latents. picture_scale: of models that edit by instruction.
    shown, unshown: the pictures that the positive row and the others see.
    """

    positive: Text
    negative: Text | None
    guidance_scale: float
    sizes: Tensor | None = None
    scale_embedding: Tensor | None = None
    beside: Tensor | None = None
    picture_scale: float | None = None
    shown: Shown = ()
    unshown: Shown = ()

    @property
    def rows(self) -> int:
        """Of the model batch."""
        if self.negative is None:
            return 1
        return 2 if self.picture_scale is None else 3


@dataclass(frozen=True, slots=True, eq=False)
class _Windows:
    ids: list[list[int]]  # each as long as the encoder's window
    weights: list[list[float]]
    tokens: int  # of the whole prompt


class PromptReader:
    """Encodes prompts with one model's text encoders; remembers the latest, since a batch repeats its prompts."""

    def __init__(self, parts: Parts):
        self._parts = parts
        self._known: OrderedDict[tuple[Pieces, int], Text] = OrderedDict()

    def read(
        self, prompt: Pieces, negative: Pieces | None, notes: list[str], *more: Pieces
    ) -> tuple[Text, Text | None, list[Text]]:
        """Positive, negative and `more` texts, all with equal numbers of windows. negative: None without guidance."""
        windows = max(self._windows(text) for text in (prompt, negative or NOTHING, *more))
        self._remark(prompt, "prompt", notes)
        positive = self._text(prompt, windows)
        others = [self._text(text, windows) for text in more]
        if negative is None:
            return positive, None, others
        self._remark(negative, "negative prompt", notes)
        # SDXL was trained with zeros where nothing is said; diffusers does this when no negative prompt is given.
        if negative == NOTHING and self._parts.zero_empty_negative:
            return positive, Text(torch.zeros_like(positive.embeds), torch.zeros_like(positive.pooled)), others
        return positive, self._text(negative, windows), others

    def _windows(self, text: Pieces) -> int:
        needed = max(len(_split(tokenizer, text).ids) for tokenizer in self._parts.tokenizers)
        return min(needed, MAX_WINDOWS)

    def _remark(self, text: Pieces, field: str, notes: list[str]) -> None:
        tokenizer = self._parts.tokenizers[0]
        split, window = _split(tokenizer, text), tokenizer.model_max_length - 2
        if len(split.ids) > MAX_WINDOWS:
            notes.append(f"The {field} was cut: {MAX_WINDOWS * window} of its {split.tokens} tokens are used.")
        elif len(split.ids) > 1:
            notes.append(f"The {field} is longer than {window} tokens and was read in {len(split.ids)} parts.")

    def _text(self, text: Pieces, windows: int) -> Text:
        key = (text, windows)
        if key not in self._known:
            self._known[key] = self._encode(text, windows)
            if len(self._known) > CACHED_TEXTS:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]

    def _encode(self, text: Pieces, windows: int) -> Text:
        both = [self._one(i, text, windows) for i in range(len(self._parts.text_encoders))]
        pooled = next((p for _, p in both if p is not None), None) if self._parts.sdxl else None
        return Text(torch.cat([embeds for embeds, _ in both], dim=-1), pooled)

    def _one(self, i: int, pieces: Pieces, windows: int) -> tuple[Tensor, Tensor | None]:
        """embeds (1, windows · window, width) and pooled (1, width) of the first window, by text encoder `i`."""
        tokenizer, plain = self._parts.tokenizers[i], prompts.plain(pieces)
        split = _split(tokenizer, pieces)
        if plain is not None and len(split.ids) == windows == 1:
            padded = tokenizer(plain, padding="max_length", max_length=tokenizer.model_max_length, truncation=True)
            return self._run(i, torch.tensor([padded.input_ids]), torch.tensor([padded.attention_mask]))
        empty = tokenizer("", padding="max_length", max_length=tokenizer.model_max_length).input_ids
        rows = (split.ids + [empty] * windows)[:windows]
        embeds, pooled = self._run(i, torch.tensor(rows))
        weights = split.weights[:windows]
        if any(weight != 1.0 for row in weights for weight in row):
            neutral, _ = self._run(i, torch.tensor([empty]))
            scale = embeds.new_tensor(weights + [[1.0] * len(empty)] * (windows - len(weights))).unsqueeze(-1)
            embeds = neutral + scale * (embeds - neutral)
        return embeds.flatten(0, 1).unsqueeze(0), None if pooled is None else pooled[:1]

    def _run(self, i: int, ids: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Layers as in diffusers: the last one for SD 1/2, the one before it for SDXL."""
        encoder, device = self._parts.text_encoders[i], self._parts.device
        used = mask if getattr(encoder.config, "use_attention_mask", False) else None
        used = None if used is None else used.to(device)
        out = encoder(ids.to(device), attention_mask=used, output_hidden_states=self._parts.sdxl)
        if not self._parts.sdxl:
            return out[0], None
        return out.hidden_states[-2], out[0] if out[0].ndim == 2 else None


def scale_embedding(guidance_scale: float, size: int) -> Tensor:
    """(1, size) embedding of the guidance scale for models that were distilled with it (LCM).

    `get_guidance_scale_embedding` of diffusers' Stable Diffusion pipeline, for one value.
    """
    half = size // 2
    step = torch.log(torch.tensor(10000.0)) / (half - 1)
    angles = (guidance_scale - 1) * 1000.0 * torch.exp(torch.arange(half) * -step)
    embedding = torch.cat([torch.sin(angles), torch.cos(angles)])
    return torch.nn.functional.pad(embedding, (0, size - 2 * half)).unsqueeze(0)


def _split(tokenizer, pieces: Pieces) -> _Windows:
    """The pieces' tokens cut into windows of the encoder's length, each with its start, end and padding."""
    size = tokenizer.model_max_length - 2
    tokens: list[tuple[int, float]] = []
    for piece in pieces:
        tokens += [(token, piece.weight) for token in tokenizer(piece.text, add_special_tokens=False).input_ids]
    start, end, pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    ids, weights = [], []
    for at in range(0, max(len(tokens), 1), size):
        part = tokens[at : at + size]
        rest = size - len(part)
        ids.append([start, *(token for token, _ in part), end, *([pad] * rest)])
        weights.append([1.0, *(weight for _, weight in part), *([1.0] * (rest + 1))])
    return _Windows(ids, weights, len(tokens))


def between(one: Text, other: Text, at: float) -> Text:
    """Two prompts blended, token by token."""
    pooled = None if one.pooled is None else slerp(one.pooled, other.pooled, at)
    return Text(slerp(one.embeds, other.embeds, at), pooled)


def fainter(text: Text, empty: Text, factor: float) -> Text:
    """The prompt, so much of its way from the empty one; 1 is the prompt itself."""
    if factor == 1:
        return text
    pooled = None if text.pooled is None else torch.lerp(empty.pooled, text.pooled, factor)
    return Text(torch.lerp(empty.embeds, text.embeds, factor), pooled)
