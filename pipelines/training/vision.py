"""Align Sprite CLIP's vision tower to its locked text tower (Zhai et al. 2022), on pictures composed as it learns.

Two losses: every picture against the captions of its batch (Radford et al. 2021), and every single thing against the
names of all things, which is what retrieval asks later. Most of the time the tower sees half of each picture's patches
(Li et al. 2023, FLIP), which doubles the pictures a second; at the end it sees all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPModel, CLIPTokenizer, CLIPVisionModel

from . import mixing, tokenizer
from .corpus import Corpus
from .optimizer import Muon, split
from .run import Run

BATCH = 128
WHOLE_FROM = 0.85
# A sharp start (50) made the tower give every picture one vector, the safest guess; it must be earned.
SCALE, SCALE_MAX = 14.0, 100.0
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

    def __init__(self, mixture: mixing.Mixture, tokens: CLIPTokenizer):
        self.mixture, self.tokens = mixture, tokens

    def texts(self, draw: np.random.Generator, drawn: mixing.Drawn) -> list[str]:
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
        pixels = torch.from_numpy(drawn.pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
        return Lesson(mixing.vary(pixels, draw), coded["input_ids"], torch.from_numpy(drawn.first))


class Alignment(nn.Module):
    """What aligning trains: the vision tower, its projection and the temperature. The text tower stays locked."""

    def __init__(self, clip: CLIPModel):
        super().__init__()
        self.vision_model, self.visual_projection = clip.vision_model, clip.visual_projection
        self.logit_scale = clip.logit_scale

    def forward(self, pixels: Tensor, kept: Tensor | None = None) -> Tensor:
        """Unit vectors (B, 256); `kept` (B, K) numbers the patches that are looked at, from 1, all when None."""
        tower = self.vision_model
        states = tower.embeddings(pixels)
        if kept is not None:
            rows = torch.cat([torch.zeros_like(kept[:, :1]), kept], 1)[..., None]
            states = states.gather(1, rows.expand(-1, -1, states.shape[-1]))
        if torch.is_autocast_enabled("cpu"):
            states = states.bfloat16()  # half the memory to move in everything that is no matrix product
        states = tower.encoder(inputs_embeds=tower.pre_layrnorm(states)).last_hidden_state
        return F.normalize(self.visual_projection(tower.post_layernorm(states[:, 0])).float(), dim=-1)


@torch.no_grad()
def sow(tower: CLIPVisionModel, pixels: Tensor) -> None:
    """Begin patch filters at the main directions of the pictures' own patches, evenly strong, and places at waves.

    Filters that begin at random see little but brightness for a long time.
    """
    table, places = tower.embeddings.patch_embedding.weight, tower.embeddings.position_embedding.weight
    width, side = len(table), round((len(places) - 1) ** 0.5)
    patches = F.unfold(pixels, table.shape[-1], stride=table.shape[-1]).transpose(1, 2).flatten(0, 1)
    patches = patches[patches.std(1) > 0.03]
    _, strength, directions = torch.linalg.svd(patches - patches.mean(0), full_matrices=False)
    filters = directions / (strength / len(patches) ** 0.5 + 0.05)[:, None]
    filters = torch.cat([filters, -filters])[:width]
    table[: len(filters)] = 0.35 * filters.view(-1, *table.shape[1:])
    waves = torch.outer(torch.arange(side) / side, torch.arange(1, width // 16 + 1) * torch.pi / 2)
    line = torch.cat([waves.sin(), waves.cos()], 1)
    whole = torch.cat([line.repeat_interleave(side, 0), line.repeat(side, 1)], 1)
    mixed = torch.linalg.qr(torch.randn(width, whole.shape[1]))[0].T
    places[1:] = 0.42 * whole @ mixed


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


def align_loss(clip: CLIPModel, student: Alignment, names: Tensor, halved: Callable[[], bool]) -> Callable:
    """The two losses of the module; `names` (things, 256) are all names' vectors."""

    def loss(batch: Lesson, generator: torch.Generator) -> tuple[Tensor, int]:
        size, patches = len(batch.pixels), student.vision_model.embeddings.num_patches
        kept = torch.rand(size, patches, generator=generator).argsort(1)[:, : patches // 2] + 1 if halved() else None
        with torch.autocast("cpu", torch.bfloat16):
            words = vectors(clip, batch.ids)
            seen = student(batch.pixels, kept)
        scaled = student.logit_scale.exp().clamp(max=SCALE_MAX) * seen
        single = batch.thing >= 0
        named = F.cross_entropy(scaled[single] @ names.T, batch.thing[single], label_smoothing=0.03)
        return named + 0.5 * between(scaled @ words.T, batch.thing), size

    return loss


def align(
    folder: Path, clip: CLIPModel, tokens: CLIPTokenizer, minutes: float, name: str = "vision", seed: int = 1,
    anew: bool = False,
) -> Run:  # fmt: skip
    """One cycle of `minutes` against the locked text tower of `clip`; `anew`: its vision tower has random weights."""
    clip.requires_grad_(False)
    small = mixing.small_corpus(folder, Corpus.open(folder))
    student, pairs = Alignment(clip).requires_grad_(True), Pairs(mixing.Mixture(small), tokens)
    if anew:
        sow(clip.vision_model, pairs.batch(np.random.default_rng(seed), 384).pixels)
        with torch.no_grad():
            student.logit_scale.fill_(np.log(SCALE))
    run = Run(folder / name, student, Muon(split(student, muon=1.5e-3, adam=1.5e-3)), decay=0.996, seed=seed)
    run.resume()
    budget = run.cycle(minutes)
    names = vectors(clip, tokens([t.en for t in small.things], padding=True, return_tensors="pt")["input_ids"])
    loss = align_loss(clip, student, names, lambda: budget.progress(run.step, run.seconds) < WHOLE_FROM)
    run.train(lambda draw: pairs.batch(draw, BATCH), loss, budget)
    return run
