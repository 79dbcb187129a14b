"""Which thing an everyday noun should look like: WordNet's tree says that a trout is a fish, its glosses the rest.

No picture and no caption bears these words. They are for the text tower alone.
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from pipelines.training.corpus import sentence_teacher
from pipelines.training.corpus.corpus import Corpus, Thing
from pipelines.training.corpus.frequencies import zipf
from pipelines.training.corpus.icon_packages import PACKAGES, read
from pipelines.training.corpus.names import ALIASES
from pipelines.training.corpus.text_corpus import DRAWABLE, short

# Common enough to be asked for; links of "is a" that may lie between.
COMMON, FAR = 2.3, 6
# Of a likeness (a cosine of the teacher's), how much is that of the bare words; the rest is that of their glosses.
BARE = 0.25
# What a link in WordNet's tree adds to it, what a thing's name among the synonyms, and what a second meaning loses.
KIN, SYNONYM, SECOND = 0.15, 0.2, 0.06
# What is then enough.
ALIKE = 0.45
# The kinds of things (WordNet's files: animal, artifact, food, object, person, plant) by emojibase's group.
KINDS = {0: {18}, 1: {18, 8}, 3: {5, 20, 17, 19}, 4: {13, 20, 6}, 5: {6, 17, 19}, 6: {6}, 7: {6, 8, 21}}
PARENT = "@"  # not "@i": an instance is a name


@dataclass(frozen=True)
class Sense:
    """One meaning: its words, what kind of thing it is (WordNet's file), the senses above it, and its gloss."""

    words: tuple[str, ...]
    kind: int
    above: tuple[str, ...]
    gloss: str


def sense(line: str) -> tuple[str, Sense]:
    """A line of data.noun: its number and what it says."""
    fields, _, gloss = line.partition(" | ")
    parts = fields.split()
    count = int(parts[3], 16)
    words = tuple(parts[4 + 2 * i].replace("_", " ").lower() for i in range(count))
    links = parts[5 + 2 * count :]
    above = tuple(links[4 * i + 1] for i in range(int(parts[4 + 2 * count])) if links[4 * i] == PARENT)
    return parts[0], Sense(words, int(parts[1]), above, short(gloss))


class Lexicon:
    """WordNet's nouns. `first`: the number of each word's commonest meaning."""

    def __init__(self, folder: Path):
        files = read(PACKAGES["words"], folder, "dict/")
        lines = {name: files[f"dict/{name}"].decode().splitlines() for name in ("data.noun", "index.noun")}
        self.senses = dict(sense(line) for line in lines["data.noun"] if not line.startswith("  "))
        rows = [line.split() for line in lines["index.noun"] if not line.startswith("  ")]
        # lemma, "n", number of senses, kinds of links, the links, ..., and the senses, the commonest first
        self.meanings = {row[0].replace("_", " "): row[-int(row[2]) :] for row in rows}

    def drawable(self, word: str, kinds: set[int] = DRAWABLE) -> list[str]:
        """The meanings of a word that one can draw, of its two commonest."""
        return [n for n in self.meanings.get(word, [])[:2] if self.senses[n].kind in kinds]

    def common(self) -> list[str]:
        """Single words that people use and that can be drawn."""
        usual = (w for w in self.meanings if w.isalpha() and w.isascii() and len(w) > 2 and self.drawable(w))
        return [w for w in usual if zipf(w) > COMMON]

    def nearest(self, number: str, known: dict[str, int]) -> int | None:
        """The thing that a meaning is a kind of, by the fewest links."""
        level = [number]
        for _ in range(FAR + 1):
            if found := [known[n] for n in level if n in known]:
                return found[0]
            level = [above for n in level for above in self.senses[n].above]
        return None

    def explained(self, word: str, number: str) -> str:
        """A word with the gloss of one of its meanings."""
        return f"{word}, {self.senses[number].gloss}"


def meant(lexicon: Lexicon, things: list[Thing]) -> dict[str, int]:
    """The meanings (numbers) that things (theirs) have."""
    found: dict[str, int] = {}
    for number, thing in enumerate(things):
        for name in (thing.en, *ALIASES.get(thing.en, [])):
            for meaning in lexicon.drawable(name.lower(), KINDS.get(thing.group, DRAWABLE))[:1]:
                found.setdefault(meaning, number)
    return found


def words_for(corpus: Corpus, packages: Path) -> dict[str, int]:
    """Everyday nouns that name no thing, and the number of the thing that each should look like."""
    lexicon, things = Lexicon(packages), corpus.things
    known = meant(lexicon, things)
    named = [(number, name.lower()) for number, t in enumerate(things) for name in (t.en, *ALIASES.get(t.en, []))]
    own = {name: number for number, name in reversed(named)}
    asked = [(word, n) for word in lexicon.common() if word not in own for n in lexicon.drawable(word)]
    glosses = [(number, lexicon.explained(things[number].en, meaning)) for meaning, number in known.items()]
    glosses += [(number, thing.en) for number, thing in enumerate(things)]
    like = (1 - BARE) * likeness([lexicon.explained(*pair) for pair in asked], glosses, len(things))
    like += BARE * likeness([word for word, _ in asked], named, len(things))
    for row, (word, meaning) in enumerate(asked):
        like[row] -= SECOND * lexicon.meanings[word].index(meaning)
        for synonym in own.keys() & lexicon.senses[meaning].words:
            like[row, own[synonym]] += SYNONYM
        if (kin := lexicon.nearest(meaning, known)) is not None:
            like[row, kin] += KIN
    best, thing = like.max(1)
    order = best.argsort()  # of two meanings the surer one is said last, and stays
    return {asked[i][0]: int(thing[i]) for i in order.tolist() if best[i] > ALIKE}


def likeness(texts: list[str], named: list[tuple[int, str]], things: int) -> torch.Tensor:
    """Cosines (texts, things) in the teacher's eyes: the best of each thing's texts."""
    theirs = sentence_teacher.embed([text for _, text in named]).float()
    owner = torch.tensor([number for number, _ in named])
    like = torch.full((len(texts), things), -1.0)
    cosines = sentence_teacher.embed(texts).float() @ theirs.T
    return like.scatter_reduce(1, owner.expand(len(texts), -1), cosines, "amax")
