"""Scenes drawn ahead as plain numbers, with their captions as tokens: what a device needs to make batches by itself.

plans.npz, a row a scene, up to four things of it:
    things    int16 (N, 4), -1 where there is none       x, y, side   float16 (N, 4), pixels of 256
    hue       float16 (N, 4), 0 to 1, nan as it is       style        int8 (N,), place in STYLES
    upper, lower  uint8 (N, 3)                           ground       int8 (N,), place in GROUNDS
    english   int16 (N, 2, 32) token ids                 chinese      int16 (N, 32)
    share     float32 (N,), how often it is shown
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from transformers import CLIPTokenizer

from pipelines.training.corpus import captions, frequencies
from pipelines.training.corpus.colours import HUES
from pipelines.training.corpus.corpus import STYLES, Corpus
from pipelines.training.corpus.scene_sampler import Composer, Portraits
from pipelines.training.corpus.scenes import Background, Scene, paint
from pipelines.training.data.batches import SMALL, small_corpus
from pipelines.training.data.dataset import STYLES as SHOWN
from pipelines.training.models.image.denoiser import FOCUS, Examples

FILE = "plans.npz"
MOST = 4
GROUNDS = ("gradient", "night", "grass")
PORTRAITS = 0.5
WORDINGS = 2


def grounds() -> np.ndarray:
    """The backgrounds that are always the same picture, uint8 (2, 256, 256, 3): night and grass."""
    night = Background("night", None, (10, 14, 48), (44, 40, 100))
    grass = Background("grass", None, (170, 215, 250), (214, 236, 250))
    return np.stack([np.clip(paint(b) + 0.5, 0, 255).astype(np.uint8) for b in (night, grass)])


def numbers(scene: Scene) -> dict[str, np.ndarray]:
    """One row of plans.npz, without captions and share."""
    empty = [(-1, 128, 128, 128, np.nan)] * (MOST - len(scene.placed))
    shown = [(p.thing, p.x, p.y, p.side, HUES[p.colour] / 360 if p.colour else np.nan) for p in scene.placed]
    things, x, y, side, hue = (np.array(column) for column in zip(*shown, *empty, strict=True))
    back = scene.background
    return {
        "things": things.astype(np.int16), "x": x, "y": y, "side": side, "hue": hue,
        "style": np.int8(STYLES.index(scene.style)), "upper": np.uint8(back.top), "lower": np.uint8(back.bottom),
        "ground": np.int8(GROUNDS.index(back.kind) if back.kind in GROUNDS else 0),
    }  # fmt: skip


def example(composers: tuple[Composer, Composer], number: int, seed: int) -> tuple[Scene, list[str], str]:
    """Scene `number` with its captions, the same for the same seed on every machine."""
    draw = np.random.default_rng((seed, number))
    composer = composers[int(draw.random() < PORTRAITS)]
    scene, things = composer.scene(draw), composer.corpus.things
    english = [captions.english(draw, scene, things) for _ in range(WORDINGS)]
    return scene, english, captions.chinese(draw, scene, things)


def draw(
    corpus: Corpus,
    tokens: CLIPTokenizer,
    number: int,
    seed: int = 31,
    styles: dict[str, float] = SHOWN,
    worth: Callable = frequencies.worth,
) -> dict[str, np.ndarray]:
    """`number` rows of plans.npz. The corpus' pictures may be of any size: only their colours are looked at."""
    composers, value = (Composer(corpus, styles), Portraits(corpus, styles)), worth(corpus.things)
    found = [example(composers, i, seed) for i in range(number)]
    rows = [numbers(scene) for scene, _, _ in found]
    plans = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    for name in ("x", "y", "side", "hue"):
        plans[name] = plans[name].astype(np.float16)
    english = Examples.code(tokens, [text for _, texts, _ in found for text in texts]).numpy().astype(np.int16)
    plans["english"] = english.reshape(number, WORDINGS, -1)
    plans["chinese"] = Examples.code(tokens, [text for _, _, text in found]).numpy().astype(np.int16)
    share = [FOCUS[s.style] * FOCUS[s.kind] * value[[p.thing for p in s.placed]].mean() for s, _, _ in found]
    plans["share"] = np.float32(share)
    return plans


def build(folder: Path, tokens: CLIPTokenizer, number: int = 60_000) -> Path:
    """Draw the plans into `folder`; does nothing when they are there."""
    target = folder / FILE
    if not target.exists():
        unfinished = folder / "plans.part.npz"
        np.savez_compressed(unfinished, **draw(small_corpus(folder, Corpus.open(folder), SMALL), tokens, number))
        unfinished.rename(target)
    return target
