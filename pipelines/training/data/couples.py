"""Several things in their places, every pair there is and every count: each thing's latents in each place, joined.

A set of drawn scenes shows a thing on the left a handful of times and never twice in the same place; from that the text
tower learnt where two things lie, and of each a mixture of both. Here every thing is encoded once in each place, on
white, and any two halves are a picture of both; two halves, or four quarters, of one thing are two or four of it.

couples.json    a row a sprite: thing, style, colour it was given or null
couples.npy     float16 (P, N, 16, 8, 8), the latents of each in the places of PLACES
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import CLIPTokenizer

from pipelines.image.model.autoencoder import SpriteAutoencoder
from pipelines.training.corpus import captions, frequencies, scenes
from pipelines.training.corpus.corpus import Corpus
from pipelines.training.corpus.scene_sampler import Composer, colour_for
from pipelines.training.corpus.scenes import Background, Placed, Scene
from pipelines.training.data.dataset import STYLES, to_tensor
from pipelines.training.data.tokenizer import LENGTH
from pipelines.training.precision import autocast

FIRST, SECOND, WHOLE = slice(0, 4), slice(4, 8), slice(0, 8)


class Place(NamedTuple):
    """Where a thing's centre is and how large it is (pixels of 256), and the cells that are its own."""

    x: int
    y: int
    side: int
    rows: slice
    columns: slice


PLACES = {
    "left": Place(66, 128, 116, WHOLE, FIRST),
    "right": Place(190, 128, 116, WHOLE, SECOND),
    "above": Place(128, 66, 116, FIRST, WHOLE),
    "below": Place(128, 190, 116, SECOND, WHOLE),
    "upper left": Place(68, 70, 106, FIRST, FIRST),
    "upper right": Place(188, 70, 106, FIRST, SECOND),
    "lower left": Place(68, 186, 106, SECOND, FIRST),
    "lower right": Place(188, 186, 106, SECOND, SECOND),
    "lower middle": Place(128, 186, 106, SECOND, WHOLE),
}
# Pairs by their relation and counts by their number: where the things are.
ARRANGED = {
    "left": ("left", "right"),
    "above": ("above", "below"),
    "two": ("left", "right"),
    "three": ("upper left", "upper right", "lower middle"),
    "four": ("upper left", "upper right", "lower left", "lower right"),
}
OFTEN = {"left": 0.5, "above": 0.15, "two": 0.14, "three": 0.13, "four": 0.08}
PAIRS = {"left", "above"}
CHINESE = 0.15
BATCH = 32


def sprites(corpus: Corpus, styles: dict[str, float] = STYLES, seed: int = 31) -> list[tuple[int, str, str | None]]:
    """Every thing that scenes are made of, in each style, as it is and, where that can be, in another colour."""
    draw, portable, found = np.random.default_rng(seed), Composer(corpus, styles).portable, []
    for style, rows in portable.items():
        for thing in corpus.thing[rows].tolist():
            colours = {None, colour_for(corpus, draw, thing, style, 1.0)}
            found += [(thing, style, colour) for colour in sorted(colours, key=str)]
    return found


@torch.inference_mode()
def build(folder: Path, model: SpriteAutoencoder, styles: dict[str, float] = STYLES) -> Path:
    """Draw and encode all sprites in all places into `folder`/couples; does nothing when they are there."""
    target = folder / "couples"
    if (target / "couples.json").exists() and len(np.load(target / "couples.npy", mmap_mode="r")) == len(PLACES):
        return target
    target.mkdir(parents=True, exist_ok=True)
    corpus = Corpus.open(folder)
    rows = sprites(corpus, styles)
    latents = np.empty((len(PLACES), len(rows), 16, 8, 8), np.float16)
    for number, (x, y, side, *_) in enumerate(PLACES.values()):
        for begin in range(0, len(rows), BATCH):
            part = rows[begin : begin + BATCH]
            drawn = [Scene("single", s, (Placed(t, x, y, side, c),)) for t, s, c in part]
            with autocast():
                encoded = model.encoder(to_tensor([scenes.render(scene, corpus) for scene in drawn]))
            latents[number, begin : begin + len(part)] = encoded.float().numpy()
    np.save(target / "couples.npy", latents)
    (target / "couples.json").write_text(json.dumps(rows))
    return target


class Couples:
    """Endless pairs and counts with their captions; never two things whose pair is held out of training."""

    def __init__(self, folder: Path, tokens: CLIPTokenizer, styles: dict[str, float] = STYLES):
        self.things, self.tokens = Corpus.open(folder).things, tokens
        self.rows = json.loads((folder / "couples" / "couples.json").read_text())
        self.latents = np.load(folder / "couples" / "couples.npy")
        style, worth = np.array([row[1] for row in self.rows]), frequencies.worth(self.things) ** 0.5
        share = np.array([worth[thing] * (0.25 if colour else 1.0) for thing, _, colour in self.rows])
        self.styles, self.weights = {s: np.flatnonzero(style == s) for s in styles}, styles
        self.shares = {s: np.cumsum(share[rows]) for s, rows in self.styles.items()}

    def some(self, draw: np.random.Generator, style: str) -> int:
        """The row of one sprite of a style."""
        shares = self.shares[style]
        return int(self.styles[style][np.searchsorted(shares, draw.random() * shares[-1])])

    def couple(self, draw: np.random.Generator) -> tuple[int, int]:
        """Two rows, of different things and one style, that training may show together."""
        style = str(draw.choice(list(self.weights), p=list(self.weights.values())))
        while True:
            first, second = self.some(draw, style), self.some(draw, style)
            keys = [self.things[self.rows[row][0]].key for row in (first, second)]
            if keys[0] != keys[1] and not scenes.unseen("pair", keys):
                return first, second

    def example(self, draw: np.random.Generator) -> tuple[np.ndarray, str]:
        """Latents (16, 8, 8) of a couple or several of one thing, and what is said of them."""
        name = str(draw.choice(list(OFTEN), p=list(OFTEN.values())))
        rows = self.couple(draw) if name in PAIRS else self.couple(draw)[:1] * len(ARRANGED[name])
        write = captions.chinese if draw.random() < CHINESE else captions.english
        return self.joined(name, *rows), write(draw, self.scene(name, *rows), self.things)

    def scene(self, name: str, *rows: int) -> Scene:
        """What is seen, for those who tell of it: a pair in this relation, or this number of one thing."""
        placed = []
        for row, place in zip(rows, ARRANGED[name], strict=True):
            thing, _, colour = self.rows[row]
            placed.append(Placed(thing, *PLACES[place][:3], colour))
        kind, relation = ("pair", name) if name in PAIRS else ("count", None)
        return Scene(kind, self.rows[rows[0]][1], tuple(placed), Background(), relation)

    def joined(self, name: str, *rows: int) -> np.ndarray:
        """Each thing's own cells out of its latents: one picture of all (16, 8, 8)."""
        whole = np.empty_like(self.latents[0, 0])
        for row, place in zip(rows, ARRANGED[name], strict=True):
            cells = (slice(None), PLACES[place].rows, PLACES[place].columns)
            whole[cells] = self.latents[list(PLACES).index(place), row][cells]
        return whole

    def batch(self, draw: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Latents (size, 16, 8, 8) and token ids (size, 32)."""
        latents, texts = zip(*(self.example(draw) for _ in range(size)), strict=True)
        coded = self.tokens(list(texts), padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt")
        return torch.from_numpy(np.stack(latents)).float(), coded["input_ids"]
