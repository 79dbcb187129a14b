"""Fresh small pictures for every batch: what Sprite CLIP, its judge and the captioner learn from.

A set drawn once shows few styles and is soon learnt by heart. Here every picture is composed anew from sprites of 64
pixels in memory, in all styles, with the captions of the same scene, and then turned, shifted and tinted.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pipelines.training.corpus import captions, scenes
from pipelines.training.corpus.corpus import OTHERS, SIZE, STYLES, Corpus
from pipelines.training.corpus.scene_sampler import Composer

SMALL = 64
KINDS = {"single": 0.84, "count": 0.06, "pair": 0.08, "between": 0.02}
SHARES = dict.fromkeys(STYLES, 1.0) | dict.fromkeys(OTHERS, 0.5)
# Faces and people are rare in pictures one asks for, but they must be told apart all the same.
LEAST_WEIGHT = 0.7
# Shares of singles drawn smaller, and of white backgrounds that become any colour.
SMALLER, ANY_COLOUR = 0.3, 0.3


def shrink(rgba: np.ndarray, size: int = SMALL) -> np.ndarray:
    """Premultiplied RGBA (S, S, 4) at `size`, each pixel the mean of those it covers."""
    picture = Image.frombytes("RGBX", rgba.shape[1::-1], np.ascontiguousarray(rgba).tobytes())
    return np.asarray(picture.resize((size, size), Image.Resampling.BOX)).reshape(size, size, 4)


def small_corpus(folder: Path, corpus: Corpus, size: int = SMALL) -> Corpus:
    """The corpus with its pictures at `size` in memory (110 MB for 64); kept in the cache as small-`size`.npy."""
    path = folder / "corpus" / f"small-{size}.npy"
    if not path.exists():
        np.save(path, np.stack([shrink(sprite, size) for sprite in corpus.sprites]))
    things = [replace(t, weight=max(t.weight, LEAST_WEIGHT)) for t in corpus.things]
    return replace(corpus, sprites=np.load(path), things=things)


@dataclass(frozen=True)
class Drawn:
    """A batch: pictures uint8 (B, 64, 64, 3), their scenes, and their things' numbers."""

    pictures: np.ndarray
    scenes: list[scenes.Scene]

    @property
    def first(self) -> np.ndarray:
        """The only thing of each picture, int64 (B,); -1 where there are several."""
        return np.array([s.placed[0].thing if s.kind == "single" else -1 for s in self.scenes])


class Mixture:
    """Scenes of all styles in equal shares, singles mostly; never a thing in a style held out of training.

    spread: how much of the change in place, size, background, turn and tint; 0 to 1.
    """

    def __init__(self, small: Corpus, kinds: dict[str, float] = KINDS, spread: float = 1.0):
        shown = {s: share for s, share in SHARES.items() if (small.training & (small.style == s)).any()}
        self.corpus, self.composer, self.spread = small, Composer(small, shown, kinds), spread

    def plan(self, draw: np.random.Generator, size: int) -> list[scenes.Scene]:
        """`size` new scenes."""
        return [spread(draw, self.composer.scene(draw), self.spread) for _ in range(size)]

    def draw(self, draw: np.random.Generator, size: int) -> Drawn:
        """`size` new pictures."""
        found = self.plan(draw, size)
        return Drawn(np.stack([scenes.render(s, self.corpus, SMALL) for s in found]), found)

    def english(self, draw: np.random.Generator, planned: list[scenes.Scene]) -> list[str]:
        """One English caption of each."""
        return [captions.english(draw, s, self.corpus.things) for s in planned]

    def chinese(self, draw: np.random.Generator, planned: list[scenes.Scene]) -> list[str]:
        """One Chinese caption of each."""
        return [captions.chinese(draw, s, self.corpus.things) for s in planned]


def spread(draw: np.random.Generator, scene: scenes.Scene, share: float = 1.0) -> scenes.Scene:
    """A single thing smaller at times, and anywhere; some white backgrounds become a colour without a name."""
    if scene.kind == "single" and draw.random() < share * SMALLER:
        item, side = scene.placed[0], draw.uniform(120, 240)
        slack = (SIZE - side) / 2
        x, y = SIZE / 2 + draw.uniform(-slack, slack, 2)
        scene = replace(scene, placed=(replace(item, x=float(x), y=float(y), side=float(side)),))
    if scene.background.kind == "white" and draw.random() < share * ANY_COLOUR:
        top, bottom = (tuple(int(v) for v in draw.integers(0, 256, 3)) for _ in range(2))
        kind = scenes.Background("any", None, top, top if draw.random() < 0.6 else bottom)
        scene = replace(scene, background=kind)
    return scene


def vary(pixels: Tensor, draw: np.random.Generator, share: float = 1.0) -> Tensor:
    """Turn, shift, tint, blur and grain a batch (B, 3, S, S) in [-1, 1], each picture its own way.

    Styles differ in shading and line, so all that is not shape is made unsure: only shape then tells a thing.
    """
    size = (len(pixels), 3, 1, 1)
    shown = F.grid_sample(pixels, grid(draw, pixels, share), padding_mode="border", align_corners=False)
    tint, light = draw.normal(0, 0.07 * share, size), draw.normal(0, 0.07 * share, (len(pixels), 1, 1, 1))
    gain = torch.from_numpy(np.exp(tint + light)).float()
    shown = shown.mul_(gain).add_(gain - 1 + torch.from_numpy(draw.normal(0, 0.04 * share, size)).float())
    for change, often in ((grey, 0.06), (blurred, 0.1), (grained, 0.1)):
        rows = torch.from_numpy(np.flatnonzero(draw.random(len(pixels)) < share * often))
        shown[rows] = change(shown[rows], draw)
    return shown.clamp_(-1, 1)


def grey(pixels: Tensor, draw: np.random.Generator) -> Tensor:
    """Without colour."""
    return pixels.mean(1, keepdim=True).expand_as(pixels)


def blurred(pixels: Tensor, draw: np.random.Generator) -> Tensor:
    """Each pixel the mean of nine."""
    return F.avg_pool2d(pixels, 3, 1, 1, count_include_pad=False)


def grained(pixels: Tensor, draw: np.random.Generator) -> Tensor:
    """With a little noise."""
    return pixels + 0.06 * torch.from_numpy(draw.standard_normal(pixels.shape, dtype=np.float32))


def grid(draw: np.random.Generator, pixels: Tensor, share: float = 1.0) -> Tensor:
    """Sampling positions of a small turn (to 15 degrees), zoom, stretch and shift for each picture; a share of it."""
    size = len(pixels)
    angle, zoom = draw.normal(0, 0.12 * share, size), np.exp(draw.normal(0, 0.08 * share, (2, size)))
    turn = torch.zeros(size, 2, 3)
    rows = np.stack(
        [[zoom[0] * np.cos(angle), -zoom[0] * np.sin(angle)], [zoom[1] * np.sin(angle), zoom[1] * np.cos(angle)]]
    )
    turn[:, :, :2] = torch.from_numpy(rows.transpose(2, 0, 1)).float()
    turn[:, :, 2] = torch.from_numpy(share * draw.uniform(-0.08, 0.08, (size, 2))).float()
    return F.affine_grid(turn, list(pixels.shape), align_corners=False)
