"""Teach the denoiser's text tower words that no caption contains: what it says of "trout" it should say of "fish".

Nothing is drawn and the denoiser does not change: the tower, given a caption with the other word, imitates itself as it
was with the word that the pictures bear. Half of the captions are as ever, so that nothing is forgotten; colours go
first, so a third of all say one. And a quarter have words around them that are not to be drawn.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from pipelines.training.corpus import captions, fillers, frequencies, lexicon
from pipelines.training.corpus.colours import HUES
from pipelines.training.corpus.corpus import Corpus, Thing
from pipelines.training.corpus.names import ALIASES
from pipelines.training.corpus.scene_sampler import Composer
from pipelines.training.corpus.scenes import Scene
from pipelines.training.data import dataset
from pipelines.training.data.tokenizer import LENGTH
from pipelines.training.loop import Run
from pipelines.training.models.alignment.layout_text import CELLS
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

BATCH = 128
KINDS = {"single": 0.7, "count": 0.1, "pair": 0.2}
CHINESE = 0.15
# The share of captions with another word in them, common words oftener than rare ones.
OTHER = 0.5
# The share of captions of one thing that say a colour, whether pictures show it so or not.
COLOURED = 0.35
# The share of English captions with words around them that mean nothing to the picture ("a cute dog, please").
DRESSED = 0.25
# What the first tokens say matters less: they often stand before the word is whole.
EARLY = 0.3


def plain(thing: Thing) -> str:
    """One name of a thing, the everyday one where there is one."""
    return next((n for n in ALIASES.get(thing.en, []) if n not in ALIASES), thing.en)


class Lessons:
    """Endless captions as tokens: as they are said to the tower, and as it is to understand them."""

    def __init__(
        self, corpus: Corpus, tokens: CLIPTokenizer, words: dict[str, int], styles: dict[str, float] = dataset.STYLES
    ):
        self.corpus, self.tokens = corpus, tokens
        self.composer = Composer(corpus, styles, KINDS)
        self.words = sorted(words.items())
        often = np.cumsum([frequencies.rate(frequencies.zipf(word)) for word, _ in self.words])
        self.often = often / often[-1]

    def batch(self, draw: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Token ids (size, 32) said and meant."""
        pairs = [self.other(draw) if draw.random() < OTHER else self.same(draw) for _ in range(size)]
        said, meant = zip(*pairs, strict=True)
        return self.code(said), self.code(meant)

    def same(self, draw: np.random.Generator) -> tuple[str, str]:
        """A caption, Chinese at times."""
        scene = self.coloured(draw, self.composer.scene(draw))
        if draw.random() < CHINESE:
            return (captions.chinese(draw, scene, self.corpus.things),) * 2
        text = captions.english(draw, scene, self.corpus.things)
        return self.asked(draw, text), text

    def other(self, draw: np.random.Generator) -> tuple[str, str]:
        """A caption with another word in the place of its first thing's name, and one with that thing's name."""
        word, number = self.words[np.searchsorted(self.often, draw.random())]
        scene, seed = self.about(draw, number), int(draw.integers(2**32))
        said = self.asked(draw, self.say(scene, number, word, seed))
        return said, self.say(scene, number, plain(self.corpus.things[number]), seed)

    def asked(self, draw: np.random.Generator, text: str) -> str:
        """A caption as it is, or as somebody might ask for it."""
        return fillers.dressed(draw, text) if draw.random() < DRESSED else text

    def about(self, draw: np.random.Generator, number: int) -> Scene:
        """A scene whose first thing, or all that are like it, is this one."""
        scene = self.composer.scene(draw)
        first = scene.placed[0].thing
        placed = tuple(replace(p, thing=number) if p.thing == first else p for p in scene.placed)
        return self.coloured(draw, replace(scene, placed=placed))

    def coloured(self, draw: np.random.Generator, scene: Scene) -> Scene:
        """The scene, its one thing often in another colour, unless its name says one."""
        named = HUES.keys() & self.corpus.things[scene.placed[0].thing].en.split()
        if scene.kind != "single" or named or draw.random() >= COLOURED:
            return scene
        return replace(scene, placed=(replace(scene.placed[0], colour=str(draw.choice(list(HUES)))),))

    def say(self, scene: Scene, number: int, name: str, seed: int) -> str:
        """The scene's caption with the thing so called; the same seed, the same wording."""
        things = list(self.corpus.things)
        things[number] = replace(things[number], en=name, tags_en=())
        return captions.english(np.random.default_rng(seed), scene, things)

    def code(self, texts: tuple[str, ...]) -> Tensor:
        """Token ids, padded as the pipelines pad."""
        coded = self.tokens(list(texts), padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt")
        return coded["input_ids"]


class Wording(nn.Module):
    """The text tower alone, under the name that its weights are kept by."""

    def __init__(self, text: CLIPTextModel):
        super().__init__()
        self.text = text

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """States (B, 32, W) and the pooled one (B, W)."""
        out = self.text(input_ids=ids)
        return out.last_hidden_state.float(), out.pooler_output.float()


def wording_loss(student: Wording, before: Wording) -> Callable:
    """Mean squared errors of the states and of the pooled one, as Run.train calls it."""
    weight = torch.ones(LENGTH, 1)
    weight[: LENGTH - CELLS] = EARLY

    def loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, int]:
        said, meant = batch
        with autocast():
            with torch.no_grad():
                wanted, whole = before(meant)
            states, pooled = student(said)
        return (weight * (states - wanted).square()).mean() + (pooled - whole).square().mean(), len(said)

    return loss


def known_words(folder: Path, corpus: Corpus) -> dict[str, int]:
    """Which thing each word means; found once."""
    path = folder / "words.json"
    if not path.exists():
        path.write_text(json.dumps(lexicon.words_for(corpus, folder / "packages")))
    return json.loads(path.read_text())


def train(folder: Path, text: CLIPTextModel, before: CLIPTextModel, tokens: CLIPTokenizer, minutes: float) -> Run:
    """One cycle of `minutes`; before: the tower as the denoiser knows it, which `text` keeps to."""
    corpus = Corpus.open(folder)
    for tower in (text, before):
        tower.config._attn_implementation = "eager"  # flash attention's backward pass is slow on CPUs at these sizes
    student = Wording(text.train().requires_grad_(True))
    lessons = Lessons(corpus, tokens, known_words(folder, corpus))
    run = Run(folder / "wording", student, Muon(split(student, muon=5e-4, adam=1e-3)), decay=0.995)
    run.resume()
    loss = wording_loss(student, Wording(before.eval().requires_grad_(False)))
    run.train(lambda draw: lessons.batch(draw, BATCH), loss, run.cycle(minutes))
    return run
