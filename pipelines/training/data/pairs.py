"""Endless new pictures with captions as tokens, and how pictures and captions are told to agree."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPModel, CLIPTokenizer

from pipelines.training.data import batches, tokenizer

BARE_NAMES = 0.3
CHINESE = 0.15


@dataclass(frozen=True)
class Lesson:
    """Pixels (B, 3, 64, 64), caption tokens (B, L), and the thing of each single picture, -1 for scenes (B,)."""

    pixels: Tensor
    ids: Tensor
    thing: Tensor


class Pairs:
    """Endless new pictures with their captions as tokens."""

    def __init__(self, mixture: batches.Mixture, tokens: CLIPTokenizer):
        self.mixture, self.tokens = mixture, tokens

    def texts(self, draw: np.random.Generator, drawn: batches.Drawn) -> list[str]:
        """A caption of each picture: English mostly, at times Chinese, at times the bare name."""
        english, chinese = self.mixture.english(draw, drawn.scenes), self.mixture.chinese(draw, drawn.scenes)
        names = [self.mixture.corpus.things[s.placed[0].thing].en for s in drawn.scenes]
        chance = draw.random(len(names))
        bare = (chance < BARE_NAMES) & (drawn.first >= 0)
        return [
            n if b else c if x > 1 - CHINESE else e
            for n, e, c, b, x in zip(names, english, chinese, bare, chance, strict=True)
        ]

    def batch(self, draw: np.random.Generator, size: int) -> Lesson:
        """`size` new pictures."""
        drawn = self.mixture.draw(draw, size)
        coded = self.tokens(
            self.texts(draw, drawn), padding=True, truncation=True, max_length=tokenizer.LENGTH, return_tensors="pt"
        )
        return Lesson(pixels(drawn, draw, self.mixture.spread), coded["input_ids"], torch.from_numpy(drawn.first))


def pixels(drawn: batches.Drawn, draw: np.random.Generator, spread: float = 1.0) -> Tensor:
    """The pictures (B, 3, 64, 64) in [-1, 1], each varied in its own way, by a share of all that may vary."""
    return batches.vary(torch.from_numpy(drawn.pictures).permute(0, 3, 1, 2).float() / 127.5 - 1, draw, spread)


@torch.no_grad()
def vectors(clip: CLIPModel, ids: Tensor) -> Tensor:
    """Unit vectors (N, 256) of texts as tokens (N, L)."""
    pooled = [clip.text_model(input_ids=part).pooler_output for part in ids.split(256)]
    return F.normalize(clip.text_projection(torch.cat(pooled)).float(), dim=-1)


def between(logits: Tensor, thing: Tensor) -> Tensor:
    """Symmetric cross entropy of pictures and captions (B, B); captions of the same single thing are all right."""
    alike = torch.eye(len(thing), dtype=torch.bool) | ((thing[:, None] == thing) & (thing >= 0))
    target = alike / alike.sum(-1, keepdim=True)
    return -((target * logits.log_softmax(-1)).sum(-1).mean() + (target * logits.T.log_softmax(-1)).sum(-1).mean()) / 2
