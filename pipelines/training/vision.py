"""Align Sprite CLIP's vision tower to its locked text tower."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPModel, CLIPTokenizer

from . import tokenizer
from .optimizer import Muon, split
from .run import Run

BATCH = 160


class Pairs:
    """Small pictures with their captions as tokens, for aligning the vision tower."""

    def __init__(self, target: Path, tokens: CLIPTokenizer):
        rows = json.loads((target / "scenes.json").read_text())
        self.small = np.load(target / "small.npy", mmap_mode="r")
        texts = [c for row in rows for c in [*row["en"], row["zh"]]]
        coded = tokens(texts, padding="max_length", truncation=True, max_length=tokenizer.LENGTH, return_tensors="pt")
        self.ids = coded["input_ids"].int().view(len(rows), -1, tokenizer.LENGTH)
        self.end = tokens.eos_token_id

    def batch(self, draw: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Pixels (size, 3, 64, 64) in [-1, 1], a little shifted and scaled, and token ids (size, L)."""
        rows = np.sort(draw.integers(0, len(self.small), size))
        which = torch.from_numpy(draw.choice(self.ids.shape[1], size, p=[0.3, 0.3, 0.25, 0.15]))
        ids = self.ids[torch.from_numpy(rows), which].long()
        longest = int((ids != self.end).sum(1).max()) + 1
        pixels = torch.from_numpy(self.small[rows]).permute(0, 3, 1, 2).float() / 127.5 - 1
        return jitter(pixels, draw), ids[:, :longest]


def jitter(pixels: Tensor, draw: np.random.Generator) -> Tensor:
    """Zoom and shift a batch (B, 3, S, S), each picture its own way; what lies outside repeats the border."""
    size = len(pixels)
    zoom = torch.from_numpy(draw.uniform(0.9, 1.35, size)).float()
    shift = torch.from_numpy(draw.uniform(-0.12, 0.12, (size, 2))).float()
    turn = torch.zeros(size, 2, 3)
    turn[:, 0, 0] = turn[:, 1, 1] = zoom
    turn[:, :, 2] = shift
    grid = F.affine_grid(turn, list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


class Alignment(nn.Module):
    """What aligning trains: the vision tower, its projection and the temperature. The text tower stays locked."""

    def __init__(self, clip: CLIPModel):
        super().__init__()
        self.vision_model, self.visual_projection = clip.vision_model, clip.visual_projection
        self.logit_scale = clip.logit_scale

    def forward(self, pixels: Tensor) -> Tensor:
        """Unit vectors (B, 256)."""
        pooled = self.vision_model(pixel_values=pixels).pooler_output
        return F.normalize(self.visual_projection(pooled).float(), dim=-1)


def align_loss(clip: CLIPModel, student: Alignment) -> Callable:
    """Symmetric contrastive loss (Radford et al. 2021), text locked (Zhai et al. 2022).

    Texts that mean the same are no negatives: the targets are the texts' own likeness, sharpened.
    """
    text, projection = clip.text_model, clip.text_projection

    def loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, int]:
        pixels, ids = batch
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                words = F.normalize(projection(text(input_ids=ids).pooler_output).float(), dim=-1)
            seen = student(pixels)
        logits = student.logit_scale.exp().clamp(max=50) * seen @ words.T
        same = (40 * (words @ words.T)).softmax(-1)
        across = -(same * logits.log_softmax(-1)).sum(-1).mean() - (same * logits.T.log_softmax(-1)).sum(-1).mean()
        return across / 2, len(ids)

    return loss


def align(
    folder: Path,
    clip: CLIPModel,
    tokens: CLIPTokenizer,
    minutes: float,
    name: str = "vision",
    seed: int = 1,
    batch: int = 160,
) -> Run:
    """Train the vision tower for `minutes` in all against the locked text tower of `clip`."""
    clip.requires_grad_(False)
    student, pairs = Alignment(clip).requires_grad_(True), Pairs(folder / "scenes", tokens)
    run = Run(folder / name, student, Muon(split(student, muon=1e-3, adam=1e-3)), decay=0.996, seed=seed)
    run.resume()
    run.train(lambda draw: pairs.batch(draw, BATCH), align_loss(clip, student), run.cycle(minutes))
    return run
