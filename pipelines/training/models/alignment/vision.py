"""Teach Sprite CLIP's vision tower to see what convolutional eyes see (Hinton et al. 2015), text tower locked.

Alone, on pictures and names, the tower named 25 % of held-out pictures after a million; eyes of convolutions, which
know that a thing is the same thing everywhere, 80 % after a fifth of that. So they teach: which names come into
question, the picture's vector, and, in every cell, what lies there; and the tower begins as convolutions itself
(`alignment/conv_init.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPModel, CLIPTokenizer

from pipelines.training.corpus.corpus import Corpus
from pipelines.training.data import batches
from pipelines.training.data.pairs import Lesson, pixels, vectors
from pipelines.training.loop import Run
from pipelines.training.models.alignment import conv_init
from pipelines.training.models.alignment.conv_teacher import SCALE, SCALE_MAX, WIDTHS, Seeing
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

BATCH = 64
# After this layer the tower should know what the teacher's last map but one says.
NEAR_LAYER = 2
NAMES, CELLS, WHOLE = 0.5, 2.0, 4.0
# Things nearly fill the picture, as they do in what is drawn and uploaded, and change less than what the teacher saw.
KINDS = {"single": 0.9, "count": 0.04, "pair": 0.05, "between": 0.01}
SPREAD = 0.6


@dataclass(frozen=True)
class Seen:
    """Unit vectors (B, D), and what lies where: (B, 160, 8, 8) and (B, 320, 4, 4)."""

    vector: Tensor
    near: Tensor
    far: Tensor


class Alignment(nn.Module):
    """What is trained: the vision tower, its projection and the temperature, and heads that are dropped after it."""

    def __init__(self, clip: CLIPModel, near: int = WIDTHS[-2], far: int = WIDTHS[-1]):
        super().__init__()
        self.vision_model, self.visual_projection = clip.vision_model, clip.visual_projection
        self.logit_scale = clip.logit_scale
        self.near, self.far = (head(clip.config.vision_config.hidden_size, width) for width in (near, far))

    def forward(self, pixels: Tensor) -> Seen:
        """For pictures (B, 3, 64, 64)."""
        tower = self.vision_model
        states = tower.embeddings(pixels)
        if torch.is_autocast_enabled("cpu"):
            states = states.bfloat16()  # half the memory to move in everything that is no matrix product
        states = tower.pre_layrnorm(states)
        for number, layer in enumerate(tower.encoder.layers, 1):
            states = layer(states, None)
            if number == NEAR_LAYER:
                near = cells(self.near(states[:, 1:]))
        four = F.avg_pool2d(cells(states[:, 1:]), 2).permute(0, 2, 3, 1)
        vector = self.visual_projection(tower.post_layernorm(states[:, 0])).float()
        return Seen(F.normalize(vector, dim=-1), near.float(), self.far(four).permute(0, 3, 1, 2).float())


def head(width: int, wanted: int) -> nn.Sequential:
    """From a tower's states to a teacher's; nothing at first."""
    linear = nn.Linear(width, wanted)
    nn.init.zeros_(linear.weight)
    return nn.Sequential(nn.LayerNorm(width), linear)


def cells(states: Tensor) -> Tensor:
    """The states of n * n patches (B, n * n, C), laid out as a picture (B, C, n, n)."""
    side = round(states.shape[1] ** 0.5)
    return states.transpose(1, 2).unflatten(2, (side, side))


@torch.no_grad()
def shown(teacher: Seeing, pixels: Tensor) -> tuple[Seen, Tensor]:
    """What the teacher sees, and its vectors as long as it is sure (B, D)."""
    near, far = teacher.vision_model.maps(pixels)
    scaled = teacher.scaled(teacher.vision_model.pool(far))
    return Seen(F.normalize(scaled, dim=-1), near.float(), far.float()), scaled


def apart(made: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error as a share of the variance."""
    return (made - wanted).square().mean() / wanted.var()


def align_loss(student: Alignment, teacher: Seeing, names: Tensor) -> Callable:
    """Names as sure as the teacher is of them, the true ones, the vector and the cells; `names` (things, D)."""

    def loss(batch: Lesson, generator: torch.Generator) -> tuple[Tensor, int]:
        with autocast():
            wanted, sure = shown(teacher, batch.pixels)
            seen = student(batch.pixels)
        logits = student.logit_scale.exp().clamp(max=SCALE_MAX) * seen.vector @ names.T
        single = batch.thing >= 0
        soft = F.cross_entropy(logits, (sure @ names.T).softmax(-1))
        true = F.cross_entropy(logits[single], batch.thing[single])
        whole = (1 - (seen.vector * wanted.vector).sum(-1)).mean()
        where = apart(seen.near, wanted.near) + CELLS * apart(seen.far, wanted.far)
        return soft + NAMES * true + WHOLE * whole + where, len(batch.pixels)

    return loss


def groups(student: Alignment) -> list[dict]:
    """The tower slowly, as fast steps only shake it (at 1.5e-3 and 3e-3 it learnt less); the heads, which begin at
    nothing, fast."""
    heads = nn.ModuleDict({"near": student.near, "far": student.far})
    own = {id(p) for p in heads.parameters()}
    slow = split(student, muon=7e-4, adam=8e-4)
    for group in slow:
        group["params"] = [p for p in group["params"] if id(p) not in own]
    return [*slow, *split(heads, muon=4e-3, adam=3e-3)]


class Pictures:
    """Endless new pictures; what is said of them is the teacher's business."""

    def __init__(self, mixture: batches.Mixture):
        self.mixture = mixture

    def batch(self, draw: np.random.Generator, size: int) -> Lesson:
        """`size` new pictures, without captions."""
        drawn = self.mixture.draw(draw, size)
        return Lesson(pixels(drawn, draw, self.mixture.spread), torch.empty(size, 0), torch.from_numpy(drawn.first))


def align(
    folder: Path, clip: CLIPModel, tokens: CLIPTokenizer, teacher: Seeing, minutes: float, anew: bool = False
) -> Run:
    """One cycle of `minutes`; `anew`: the vision tower of `clip` has random weights."""
    clip.requires_grad_(False)
    small = batches.small_corpus(folder, Corpus.open(folder))
    pictures = Pictures(batches.Mixture(small, KINDS, SPREAD))
    if anew:
        conv_init.begin(clip.vision_model, pictures.batch(np.random.default_rng(1), 384).pixels)
        clip.logit_scale.fill_(np.log(SCALE))
    student = Alignment(clip, *teacher.vision_model.widths[-2:]).requires_grad_(True)
    conv_init.lock(student.vision_model)
    run = Run(folder / "vision", student, Muon(groups(student)), decay=0.996, seed=1)
    run.resume()
    names = vectors(clip, tokens([t.en for t in small.things], padding=True, return_tensors="pt")["input_ids"])
    loss = align_loss(student, teacher.eval().requires_grad_(False), names)
    run.train(lambda draw: pictures.batch(draw, BATCH), loss, run.cycle(minutes))
    return run
