"""A caption in phrases: what can be checked against the picture one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

# A phrase begins at the caption's begin, after a punctuation mark, and at a word that ties another thing to what was
# said before. Words of several words come first, so that they are not split in the middle.
TIES = (
    "next to", "in front of", "on top of", "to the left of", "to the right of", "left of", "right of", "close to",
    "surrounded by", "covered in", "covered with", "filled with", "and", "or", "with", "without", "on", "in", "at",
    "under", "below", "above", "over", "behind", "beside", "between", "near", "against", "around", "inside", "outside",
    "by", "wearing", "holding", "eating", "riding", "carrying", "while", "that", "which",
)  # fmt: skip
LIGHT = {"a", "an", "the", "of", "is", "are", "there", "it", "its", "this", "these", "some", "to", "from", "being"}
_MARKS = r"[.,;:!?()\[\]\"“”。，；：！？、（）\n]"
_TIE = r"(?:" + "|".join(tie.replace(" ", r"\s+") for tie in TIES) + r")"
_BREAK = re.compile(rf"{_MARKS}+|\s+(?=\b{_TIE}\b)|(?<=[^\W\d_a-zA-Z])(?=[和与跟])", re.IGNORECASE)
_LEADING_TIE = re.compile(rf"(?:(?:{_TIE}|和|与|跟)(?!\w)\s*|[和与跟])+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Phrase:
    """`caption[span[0]:span[1]]` is the phrase; core: without the words that tie it to what was said before."""

    span: tuple[int, int]
    text: str
    core: str


def phrases(caption: str) -> list[Phrase]:
    """The phrases in order, without punctuation and spaces around them. One that names nothing joins the next."""
    spans = _merged(caption, _spans(caption))
    return [Phrase((a, b), caption[a:b], _core(caption[a:b])) for a, b in spans]


def _spans(caption: str) -> list[tuple[int, int]]:
    edges = [(0, 0), *(found.span() for found in _BREAK.finditer(caption)), (len(caption), len(caption))]
    between = ((a, b) for (_, a), (b, _) in pairwise(edges))
    return [span for span in (_stripped(caption, a, b) for a, b in between) if span[0] < span[1]]


def _stripped(caption: str, a: int, b: int) -> tuple[int, int]:
    inner = caption[a:b]
    return a + len(inner) - len(inner.lstrip()), b - (len(inner) - len(inner.rstrip()))


def _merged(caption: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    waiting: int | None = None
    for a, b in spans:
        begin = a if waiting is None else waiting
        waiting = None if _names_something(caption[a:b]) else begin
        if waiting is None:
            merged.append((begin, b))
    if waiting is not None and spans and merged:
        merged[-1] = (merged[-1][0], spans[-1][1])
    return merged


def _names_something(text: str) -> bool:
    words = re.findall(r"\w+", _LEADING_TIE.sub("", text, count=1) if _LEADING_TIE.match(text) else text)
    return any(word.lower() not in LIGHT for word in words)


def _core(text: str) -> str:
    tie = _LEADING_TIE.match(text)
    return text[tie.end() :].strip() or text if tie else text
