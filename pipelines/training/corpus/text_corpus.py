"""The texts that the text tower learns from: names, keywords, captions, and WordNet's everyday nouns with glosses.

Every text comes with a target text: its own words for English, the English counterpart for Chinese (multilingual
distillation, Reimers & Gurevych 2020), so that one teacher, which reads English only, teaches both.
"""

from pathlib import Path

import numpy as np

from pipelines.training.corpus.captions import chinese, english
from pipelines.training.corpus.corpus import STYLES, Corpus
from pipelines.training.corpus.icon_packages import PACKAGES, read
from pipelines.training.corpus.names import ALIASES
from pipelines.training.corpus.scene_sampler import Composer

# WordNet's lexicographer files of things one can draw: animal, artifact, body, food, object, person, phenomenon,
# plant, shape, substance; and act, event, feeling, location, time for the words around them.
DRAWABLE = {5, 6, 8, 13, 17, 18, 19, 20, 25, 27}
AROUND = {4, 11, 12, 15, 28}
COMMON = {True: 2.3, False: 3.4}
CAPTIONS = 14_000


def nouns(folder: Path) -> list[str]:
    """Common nouns of WordNet, and each with the beginning of its gloss: "puppy", "puppy, a young dog"."""
    from wordfreq import zipf_frequency  # the `train` extra

    texts = []
    for line in read(PACKAGES["words"], folder, "dict/data.noun")["dict/data.noun"].decode().splitlines():
        if line.startswith("  "):  # the licence
            continue
        fields, _, gloss = line.partition(" | ")
        parts = fields.split(" ")
        kind, count = int(parts[1]), int(parts[3], 16)
        lemmas = [parts[4 + 2 * i].replace("_", " ") for i in range(count)]
        if kind in DRAWABLE | AROUND:
            known = [w for w in lemmas if zipf_frequency(w, "en") > COMMON[kind in DRAWABLE]]
            texts += known
            texts += [f"{w}, {short(gloss)}" for w in known[:1]]
    return list(dict.fromkeys(texts))


def short(gloss: str, words: int = 10) -> str:
    """The beginning of a gloss, up to its first ; or ( and at most `words` words."""
    return " ".join(gloss.split(";")[0].split("(")[0].split()[:words])


def names(corpus: Corpus) -> list[tuple[str, str]]:
    """(text, target) of every name, everyday name and keyword, in both languages."""
    pairs = []
    for thing in corpus.things:
        pairs += [(thing.en, thing.en), (thing.zh, thing.en)]
        pairs += [(alias, alias) for alias in ALIASES.get(thing.en, [])]
        pairs += [(tag, tag) for tag in thing.tags_en]
        pairs += [(tag, thing.en) for tag in thing.tags_zh]
    return list(dict.fromkeys(pairs))


def captions(corpus: Corpus, number: int = CAPTIONS) -> list[tuple[str, str]]:
    """(text, target) of captions of random scenes, English twice, Chinese once."""
    composer = Composer(corpus, dict.fromkeys(STYLES, 1.0))
    draw = np.random.default_rng(11)
    pairs = []
    for _ in range(number // 2):
        scene = composer.scene(draw)
        texts = [english(draw, scene, corpus.things) for _ in range(2)]
        pairs += [(t, t) for t in texts] + [(chinese(draw, scene, corpus.things), texts[0])]
    return pairs


def pairs(corpus: Corpus, packages: Path) -> dict[str, list[tuple[str, str]]]:
    """All (text, target) by source: "nouns", "names", "captions"."""
    return {"nouns": [(t, t) for t in nouns(packages)], "names": names(corpus), "captions": captions(corpus)}
