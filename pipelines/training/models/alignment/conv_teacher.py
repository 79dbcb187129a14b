"""Convolutional eyes: they tell things apart after a fraction of the pictures that a transformer needs.

A residual network that normalises first (He et al. 2016), in the place of CLIP's vision tower. It is never published:
one, from its own seed, is the judge of what is drawn; another teaches Sprite CLIP's vision tower (Hinton et al. 2015).
Three losses: every picture against the captions of its batch (Radford et al. 2021), every single thing against the
names of all things, which is what retrieval asks later, and a plain classifier, which learns soonest.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPModel, CLIPTokenizer
from transformers.modeling_outputs import BaseModelOutputWithPooling

from pipelines.training.corpus.corpus import Corpus
from pipelines.training.data import batches
from pipelines.training.data.pairs import Lesson, Pairs, between, vectors
from pipelines.training.loop import Run
from pipelines.training.models.alignment import clip
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

WIDTHS, DEPTHS = (64, 160, 320), (1, 2, 2)
BATCH = 128
# A sharp start made a tower give every picture one vector, the safest guess; it must be earned.
SCALE, SCALE_MAX = 14.0, 100.0


class Block(nn.Module):
    """Two convolutions of 3 x 3 beside the way straight on."""

    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(2))
        self.before, self.within = (nn.BatchNorm2d(width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x + self.second(F.relu(self.within(self.first(F.relu(self.before(x))))))


class Eyes(nn.Module):
    """Pictures (B, 3, 64, 64) to maps of 16 x 16, 8 x 8 and 4 x 4 cells, `WIDTHS` wide."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS, depths: tuple[int, ...] = DEPTHS):
        super().__init__()
        parts: list[nn.Module] = [nn.PixelUnshuffle(2), nn.Conv2d(12, widths[0], 3, 2, 1)]
        for number, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            if number:
                self.near = len(parts) + 1  # parts until the last map but one, normalised
                parts += [nn.BatchNorm2d(widths[number - 1]), nn.ReLU(), nn.Conv2d(widths[number - 1], width, 3, 2, 1)]
            parts += [Block(width) for _ in range(depth)]
        self.body = nn.Sequential(*parts, nn.BatchNorm2d(widths[-1]), nn.ReLU())
        self.widths = widths

    def maps(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """What lies where: the last map but one (B, 160, 8, 8), and the last (B, 320, 4, 4), both normalised."""
        near = self.body[: self.near](pixels.contiguous(memory_format=torch.channels_last))
        return near, self.body[self.near : -1](near)

    @staticmethod
    def pool(far: Tensor) -> Tensor:
        """One vector a picture (B, 320) of the last map."""
        return F.relu(far).float().mean((2, 3))

    def forward(self, pixel_values: Tensor) -> BaseModelOutputWithPooling:
        """As CLIP's vision model answers, but for the states, of which there are none."""
        return BaseModelOutputWithPooling(pooler_output=self.pool(self.maps(pixel_values)[1]))


class Seeing(nn.Module):
    """Eyes with their way into the space of texts (D,), and a classifier of `things` that only learning uses."""

    def __init__(self, things: int, width: int = clip.WIDTH, eyes: Eyes | None = None):
        super().__init__()
        self.vision_model = eyes or Eyes()
        self.visual_projection = nn.Linear(self.vision_model.widths[-1], width, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(np.log(SCALE), dtype=torch.float32))
        self.classes = nn.Linear(self.vision_model.widths[-1], things)

    def scaled(self, pooled: Tensor) -> Tensor:
        """Vectors (B, D), as long as this is sure."""
        unit = F.normalize(self.visual_projection(pooled).float(), dim=-1)
        return self.logit_scale.exp().clamp(max=SCALE_MAX) * unit

    def lend(self, whole: CLIPModel) -> CLIPModel:
        """`whole` sees with these eyes from now on."""
        whole.vision_model, whole.visual_projection = self.vision_model, self.visual_projection
        return whole


def loss_of(whole: CLIPModel, student: Seeing, names: Tensor) -> Callable:
    """The three losses of the module, as Run.train calls them; `names` (things, D) are all names' vectors."""

    def loss(batch: Lesson, generator: torch.Generator) -> tuple[Tensor, int]:
        with autocast():
            words = vectors(whole, batch.ids)
            pooled = student.vision_model(batch.pixels).pooler_output
            seen, classes = student.scaled(pooled), student.classes(pooled).float()
        single = batch.thing >= 0
        thing = batch.thing[single]
        named = F.cross_entropy(seen[single] @ names.T, thing, label_smoothing=0.03)
        told = F.cross_entropy(classes[single], thing, label_smoothing=0.05)
        return named + told + 0.5 * between(seen @ words.T, batch.thing), len(batch.pixels)

    return loss


def train(
    folder: Path, whole: CLIPModel, tokens: CLIPTokenizer, minutes: float, name: str = "eyes", seed: int = 3
) -> Run:
    """One cycle of `minutes` against the locked text tower of `whole`."""
    whole.requires_grad_(False)
    small = batches.small_corpus(folder, Corpus.open(folder))
    torch.manual_seed(seed)
    student = Seeing(len(small.things), whole.config.projection_dim).to(memory_format=torch.channels_last)
    pairs = Pairs(batches.Mixture(small), tokens)
    run = Run(folder / name, student, Muon(split(student, muon=1.5e-3, adam=1.5e-3)), decay=0.996, seed=seed)
    run.resume()
    names = vectors(whole, tokens([t.en for t in small.things], padding=True, return_tensors="pt")["input_ids"])
    run.train(lambda draw: pairs.batch(draw, BATCH), loss_of(whole, student, names), run.cycle(minutes))
    return run
