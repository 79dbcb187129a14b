"""A prompt read into a scene. What is not understood is kept and said; nothing that a prompt holds is an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pipelines.scene_reader import chinese, english, tokens
from pipelines.scene_reader.scene import BESIDE, BETWEEN, Item, Relation, Scene
from pipelines.scene_reader.tokens import Token
from pipelines.scene_reader.vocabulary import Vocabulary

LONGEST_PROMPT = 2000  # characters that are read; a prompt of thousands of words names nothing that fits a picture
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+(?:\d+[\u4e00-\u9fff]+)*")

# (a thing's name, how alike 0 to 1) for words that name no known thing; None where nothing is like them.
Guess = Callable[[str], tuple[str, float] | None]


def read(prompt: str, vocabulary: Vocabulary, guess: Guess | None = None) -> Scene:
    """The scene of an English or Chinese prompt. guess: what may stand for an unknown word, asked once for each."""
    reading = _Reading(guess)
    for token in cut(prompt[:LONGEST_PROMPT], vocabulary):
        reading.take(token)
    return reading.finish()


def cut(prompt: str, vocabulary: Vocabulary) -> list[Token]:
    """All tokens; each stretch of Chinese by its own rules."""
    found, place = [], 0
    text = re.sub(r"(\d+)\s*(?=[\u4e00-\u9fff])", lambda hit: hit[1].translate(WIDE), prompt)
    for hit in CHINESE.finditer(text):
        found += english.cut(text[place : hit.start()], vocabulary)
        found += chinese.cut(hit[0].translate(NARROW), vocabulary)
        place = hit.end()
    return found + english.cut(text[place:], vocabulary)


# Digits before a Chinese character travel with it, as wide ones.
WIDE = {ord("0") + n: chr(0xFF10 + n) for n in range(10)}
NARROW = {wide: chr(narrow) for narrow, wide in ((k, ord(v)) for k, v in WIDE.items())}


@dataclass
class _Reading:
    """The state while tokens are taken one after another. joints: the relation said before a thing, by its place.
    behind: relations said behind both their things, with the places of these."""

    guess: Guess | None
    items: list[Item] = field(default_factory=list)
    joints: dict[int, Token] = field(default_factory=dict)
    behind: list[tuple[Token, int, int]] = field(default_factory=list)
    background: str | None = None
    style: str | None = None
    unknown: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    marked: int | None = None
    count: int = 1
    colour: str | None = None
    size: str | None = None

    def take(self, token: Token) -> None:
        """One more token."""
        if token.kind == tokens.UNKNOWN:
            self.strange.append(token.said)
            return
        self.end_of_strange()
        match token.kind:
            case tokens.THING:
                # "wood, timber, log": what a keyword says of a thing that is there already is no second one.
                if token.sure or token.value not in {item.name for item in self.items}:
                    self.place(Item(token.value, token.said))
            case tokens.NUMBER:
                self.count = int(token.value)
            case tokens.COLOUR:
                self.colour = token.value
            case tokens.SIZE:
                self.size = token.value
            case tokens.BACKGROUND:
                self.background = self.background or token.value
            case tokens.STYLE:
                self.style = self.style or token.value
            case tokens.MARK:
                self.marked = len(self.items) - 1
            case tokens.RELATION | tokens.AND | tokens.STOP:
                self.describe_last()
                if token.kind == tokens.RELATION:
                    self.joints[len(self.items)] = token
            case tokens.POSTFIX:
                self.relate_behind(token)

    def end_of_strange(self) -> None:
        """Unknown words that stand together are one phrase, and perhaps a thing."""
        if not self.strange:
            return
        apart = "" if "\u4e00" <= self.strange[0][0] <= "\u9fff" else " "
        said, self.strange = apart.join(self.strange), []
        like = self.guess(said) if self.guess else None
        if like:
            self.place(Item(like[0], said, likeness=like[1]))
        else:
            self.unknown.append(said)

    def place(self, item: Item) -> None:
        """A thing with what was said before it."""
        self.items.append(replace(item, count=self.count, colour=self.colour, size=self.size))
        self.count, self.colour, self.size = 1, None, None

    def describe_last(self) -> None:
        """A colour or a size that no thing followed is of the one before it: "the car is red"."""
        if self.items and (self.colour or self.size):
            last = self.items[-1]
            self.items[-1] = replace(last, colour=last.colour or self.colour, size=last.size or self.size)
        self.count, self.colour, self.size = 1, None, None

    def relate_behind(self, token: Token) -> None:
        """ "A在B的左边", "B在A和C之间": 在 stood before what comes second."""
        first, last = self.marked, len(self.items) - 1
        if first is not None and 0 <= first < last - (token.value == BETWEEN):
            self.behind.append((token, first, last))
        self.marked = None

    def relations(self) -> tuple[Relation, ...]:
        """What was said of neighbours; of those that nothing was said of, that they are beside each other."""
        found: dict[int, Relation | None] = {}  # by the place of the second of two neighbours
        for token, first, last in self.behind:
            found |= dict.fromkeys(range(first + 1, last + 1))
            found[last] = related(token, (first, last - 1, last) if token.value == BETWEEN else (first, last))
        for place in range(1, len(self.items)):
            token = self.joints.get(place)
            if place in found:
                continue
            if token and token.value == BETWEEN and place + 1 < len(self.items):
                found[place], found[place + 1] = related(token, (place - 1, place, place + 1)), None
            elif token and token.value != BETWEEN:
                found[place] = related(token, (place - 1, place))
            else:
                found[place] = Relation(BESIDE, (place - 1, place))
        return tuple(relation for _, relation in sorted(found.items()) if relation)

    def finish(self) -> Scene:
        """All that was read."""
        self.end_of_strange()
        self.describe_last()
        unknown = tuple(dict.fromkeys(self.unknown))
        return Scene(tuple(self.items), self.relations(), self.background, self.style, unknown)


def related(token: Token, items: tuple[int, ...]) -> Relation:
    """One relation, the right way round."""
    return Relation(token.value, items[::-1] if token.swapped else items)
