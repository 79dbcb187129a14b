"""Names of things, in English and Chinese, found in a prompt: the longest name first, plurals too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*|[,.;:!?]")
PLURALS = {
    "mice": "mouse", "geese": "goose", "oxen": "ox", "teeth": "tooth", "feet": "foot", "people": "person",
    "children": "child", "knives": "knife", "leaves": "leaf", "loaves": "loaf", "wolves": "wolf", "shelves": "shelf",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """A thing that can be drawn. english, chinese: its names, the best first. keywords: what else it is called."""

    name: str
    english: tuple[str, ...] = ()
    chinese: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """A thing found in a text. length: words, or Chinese characters. sure: by a name, not only by a keyword."""

    name: str
    length: int
    sure: bool


class Vocabulary:
    """All names of some things. Of two things with one name the earlier keeps it. A keyword says less: one that several
    things bear ("riding", "hat") names none of them, and none goes before a name or before any word that the reader
    knows ("a" is a keyword of a hundred points)."""

    def __init__(self, things: Iterable[Known]):
        things = list(things)
        self._english: dict[str, tuple[str, bool]] = {}
        self._chinese: dict[str, tuple[str, bool]] = {}
        for thing in things:
            for said in (*thing.english, *thing.chinese):
                self._add(said, thing.name, sure=True)
        borne = Counter(key(said) for thing in things for said in {key(k) for k in thing.keywords})
        for thing in things:
            for said in thing.keywords:
                if borne[key(said)] == 1 and not said.endswith("ing"):
                    self._add(said, thing.name, sure=False)
        self.longest = max((len(name.split()) for name in self._english), default=0)
        self.widest = max(map(len, self._chinese), default=0)

    def _add(self, said: str, name: str, sure: bool) -> None:
        known = self._chinese if is_chinese(said) else self._english
        if said := key(said):
            known.setdefault(said, (name, sure))

    def english(self, said: list[str]) -> Named | None:
        """The thing that the first words name; None where they name none."""
        for length in range(min(self.longest, len(said)), 0, -1):
            found = [self._english[phrase] for phrase in singulars(said[:length]) if phrase in self._english]
            if found:
                name, sure = max(found, key=lambda known: known[1])  # the first of the sure ones, if there is one
                return Named(name, length, sure)
        return None

    def chinese(self, text: str) -> Named | None:
        """The thing that the text begins with."""
        for length in range(min(self.widest, len(text)), 0, -1):
            if text[:length] in self._chinese:
                name, sure = self._chinese[text[:length]]
                return Named(name, length, sure)
        return None


def is_chinese(text: str) -> bool:
    """Whether there is a Chinese character in it."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def key(said: str) -> str:
    """A name as it is looked up."""
    return said if is_chinese(said) else " ".join(words(said))


def words(text: str) -> list[str]:
    """The words of an English text in lower case, without punctuation."""
    return [word for word in WORD.findall(text.lower().replace("’", "'")) if word[0].isalnum()]


def singulars(said: list[str]) -> Iterator[str]:
    """The phrase as it is, then with its last word in the singular, then its first ("glasses of wine")."""
    yield " ".join(said)
    for place in {len(said) - 1, 0}:
        for word in singular(said[place]):
            yield " ".join([*said[:place], word, *said[place + 1 :]])


def singular(word: str) -> Iterator[str]:
    """What the word may be the plural of."""
    if word in PLURALS:
        yield PLURALS[word]
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("men"):
        yield word[:-3] + "man"
    if word.endswith("s") and not word.endswith("ss"):
        yield word[:-1]
    if word.endswith("es"):
        yield word[:-2]
