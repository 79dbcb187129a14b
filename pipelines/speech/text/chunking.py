"""Cuts what is too long to be spoken in one go: at clauses if there are any, else between words, else anywhere."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import accumulate

# From best to worst; each match ends where the next part may begin.
_PLACES = (
    re.compile(r"(?:[.;:!?…—)]|--)[\"”’)\]]*\s+|[；：。！？…][”」』）]*"),
    re.compile(r",[\"”’]?\s+|\s[–-]\s|[，、]"),
    re.compile(r"\s+(?=(?:and|or|but|nor|so|yet|that|which|who|whose|because|when|while|if|as|than|where|until)\b)"),
    re.compile(r"\s+(?=(?:with|for|to|of|in|on|at|from|by|into|about|over|under|through|after|before)\b)"),
    re.compile(r"\s+"),
)
_EARLIEST, _LATEST = 0.35, 0.7  # of the longest part; of what is left, so that no single word is left alone
_SPARED = 1.25  # a first part is not cut for so little


@lru_cache(maxsize=8192)
def weight(character: str) -> int:
    """How long a character takes, a Latin letter being 1: a digit is a word, a Chinese character a syllable."""
    if character.isdigit():
        return 4
    return 3 if unicodedata.east_asian_width(character) in "WF" else 1


def weigh(text: str) -> int:
    """The sum of the weights: about 14 a second."""
    return sum(map(weight, text))


def cut(text: str, longest: int, first: int | None = None) -> list[tuple[int, int]]:
    """Spans of the parts, each of at most `longest` weight, the first of at most `first`; laid together, the text."""
    reached, spans, start = [0, *accumulate(map(weight, text))], [], 0
    while start < len(text):
        limit = first if first and not start else longest
        left = reached[-1] - reached[start]
        end = (
            len(text)
            if left <= (limit if limit == longest else _SPARED * limit)
            else _place(text, start, min(limit, int(_LATEST * left)), reached)
        )
        spans.append((start, end))
        start = end
    return spans


def _place(text: str, start: int, limit: int, reached: list[int]) -> int:
    """Where the next part begins: after the best mark whose part is neither very short nor too long."""
    last = _reach(reached, start, limit)
    early = _reach(reached, start, int(limit * _EARLIEST))
    for place in _PLACES:
        ends = [match.end() for match in place.finditer(text, start, last + 1) if early < match.end() <= last]
        if ends:
            return ends[-1]
    return _whole(text, start, last)


def _reach(reached: list[int], start: int, limit: int) -> int:
    """The furthest place whose weight from `start` is within the limit, at least one character on."""
    at = start + 1
    while at + 1 < len(reached) and reached[at + 1] - reached[start] <= limit:
        at += 1
    return at


def _whole(text: str, start: int, at: int) -> int:
    """Not between a letter and its accents, nor inside a joined emoji."""
    while at > start + 1 and at < len(text) and (unicodedata.combining(text[at]) or "\u200d" in text[at - 1 : at + 1]):
        at -= 1
    return at
