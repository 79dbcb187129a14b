"""A corpus of four drawn shapes: enough for every kind of scene, and no network."""

import json
from pathlib import Path

import numpy as np
import pytest
from transformers import CLIPTokenizer

from pipelines.training.corpus.corpus import SIZE, Corpus, Thing
from pipelines.training.data import plans
from pipelines.training.release.checkpoints import MODELS, load_tokens

NAMES = [("red apple", "红苹果"), ("cat face", "猫脸"), ("mouse", "老鼠"), ("knife", "刀")]


def sprite(red: int, green: int, blue: int) -> np.ndarray:
    """A disc of one colour, premultiplied RGBA (256, 256, 4)."""
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    inside = (x**2 + y**2 < 110**2).astype(np.uint8)
    return np.dstack([inside * red, inside * green, inside * blue, inside * 255])


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    things = [Thing(f"1f0{i}", en, zh, ("tag",), ("标签",), 3, 34, 1.0) for i, (en, zh) in enumerate(NAMES)]
    sprites = np.stack([sprite(220, 30, 30), sprite(30, 60, 220), sprite(30, 200, 40), sprite(230, 200, 20)])
    index = {(i, "3d"): i for i in range(4)}
    return Corpus(things, sprites, np.arange(4), np.array(["3d"] * 4), index, np.ones(4, bool))


@pytest.fixture(scope="session")
def tokens(tmp_path_factory) -> CLIPTokenizer:
    return load_tokens(tmp_path_factory.mktemp("none"), MODELS)


@pytest.fixture(scope="session")
def stored(corpus, tokens) -> dict[str, np.ndarray]:
    """Forty plans of that corpus."""
    return plans.draw(corpus, tokens, 40, styles={"3d": 1.0}, worth=lambda things: np.ones(len(things)))


@pytest.fixture
def cache(tmp_path, corpus, stored) -> Path:
    """A cache folder with that corpus and its plans."""
    folder = tmp_path / "cache"
    (folder / "corpus").mkdir(parents=True)
    np.save(folder / "corpus" / "sprites.npy", corpus.sprites)
    rows = [{"thing": int(t), "style": str(s)} for t, s in zip(corpus.thing, corpus.style, strict=True)]
    (folder / "corpus" / "sprites.json").write_text(json.dumps(rows))
    (folder / "corpus" / "things.json").write_text(json.dumps([vars(t) for t in corpus.things]))
    np.savez_compressed(folder / plans.FILE, **stored)
    return folder
