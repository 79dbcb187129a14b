"""Two things beside or above each other, every pair there is: each thing's latents in each place, joined in the middle.

A set of drawn scenes shows a thing on the left a handful of times and never twice in the same place; from that the text
tower learnt where two things lie, and of each a mixture of both. Here every thing is encoded once on the left, once on
the right, above and below, on white, and any two halves are a picture of both.

couples.json    a row a sprite: thing, style, colour it was given or null
couples.npy     float16 (4, N, 16, 8, 8), the latents of each in the places of PLACES
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import CLIPTokenizer

from ..autoencoder import SpriteAutoencoder
from . import captions, everyday, scenes
from .autoencoder import to_tensor
from .compose import Composer, colour_for
from .corpus import Corpus
from .dataset import STYLES
from .scenes import Background, Placed, Scene
from .tokenizer import LENGTH

# Centres of the two things of each relation, each within its own half of the picture.
PLACES = {"left": ((66, 128), (190, 128)), "above": ((128, 66), (128, 190))}
SIDE = 116
RELATIONS = {"left": 0.75, "above": 0.25}
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
    if (target / "couples.json").exists():
        return target
    target.mkdir(parents=True, exist_ok=True)
    corpus = Corpus.open(folder)
    rows, places = sprites(corpus, styles), [place for both in PLACES.values() for place in both]
    latents = np.empty((len(places), len(rows), 16, 8, 8), np.float16)
    for number, (x, y) in enumerate(places):
        for begin in range(0, len(rows), BATCH):
            part = rows[begin : begin + BATCH]
            drawn = [Scene("single", s, (Placed(t, x, y, SIDE, c),)) for t, s, c in part]
            with torch.autocast("cpu", torch.bfloat16):
                encoded = model.encoder(to_tensor([scenes.render(scene, corpus) for scene in drawn]))
            latents[number, begin : begin + len(part)] = encoded.float().numpy()
    np.save(target / "couples.npy", latents)
    (target / "couples.json").write_text(json.dumps(rows))
    return target


class Couples:
    """Endless pairs with their captions; never two things whose pair is held out of training."""

    def __init__(self, folder: Path, tokens: CLIPTokenizer, styles: dict[str, float] = STYLES):
        self.things, self.tokens = Corpus.open(folder).things, tokens
        self.rows = json.loads((folder / "couples" / "couples.json").read_text())
        self.latents = np.load(folder / "couples" / "couples.npy")
        style, worth = np.array([row[1] for row in self.rows]), everyday.worth(self.things) ** 0.5
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
        """Latents (16, 8, 8) of a couple, and what is said of it."""
        relation = str(draw.choice(list(RELATIONS), p=list(RELATIONS.values())))
        rows = self.couple(draw)
        placed = tuple(
            Placed(self.rows[row][0], x, y, SIDE, self.rows[row][2])
            for row, (x, y) in zip(rows, PLACES[relation], strict=True)
        )
        scene = Scene("pair", self.rows[rows[0]][1], placed, Background(), relation)
        write = captions.chinese if draw.random() < CHINESE else captions.english
        return self.joined(relation, *rows), write(draw, scene, self.things)

    def joined(self, relation: str, first: int, second: int) -> np.ndarray:
        """The first half of the one and the second half of the other (16, 8, 8)."""
        place, axis = 2 * list(PLACES).index(relation), 2 if relation == "left" else 1
        halves = np.split(self.latents[place, first], 2, axis)[0], np.split(self.latents[place + 1, second], 2, axis)[1]
        return np.concatenate(halves, axis)

    def batch(self, draw: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Latents (size, 16, 8, 8) and token ids (size, 32)."""
        latents, texts = zip(*(self.example(draw) for _ in range(size)), strict=True)
        coded = self.tokens(list(texts), padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt")
        return torch.from_numpy(np.stack(latents)).float(), coded["input_ids"]
