"""When each word is heard: from the voice's own times where it has them, else guessed from the letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from pipelines.speech.text import chunking
from pipelines.speech.voice import Word

# Chinese and Japanese write no spaces: each character for itself, with the marks that follow it.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff][^\w\s]*|[^\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
_STOP, _COMMA = 3, 2  # letters' worth of silence


def words(text: str) -> list[str]:
    """The words as they are shown, each with its punctuation."""
    return [found for found in _WORD.findall(text) if any(c.isalnum() for c in found)]


def estimated(text: str, seconds: float) -> list[Word]:
    """The words over that many seconds, each as long as its letters weigh, with a little silence after a mark."""
    found = words(text)
    lengths = [1 + chunking.weigh("".join(c for c in word if c.isalnum())) for word in found]
    rests = [_STOP if word[-1] in ".!?;:…。！？；：" else _COMMA if word[-1] in ",，、" else 0 for word in found]
    if found:
        rests[-1] = 0
    unit, at, timed = seconds / max(sum(lengths) + sum(rests), 1), 0.0, []
    for word, length, rest in zip(found, lengths, rests, strict=True):
        timed.append(Word(word, at, at + length * unit))
        at += (length + rest) * unit
    return timed


def aligned(shown: Sequence[str], heard: Sequence[Word]) -> list[Word]:
    """The times of the words as they are read ("three dollars fifty") for the words as they are shown ("$3.50").

    Words that are equal have their own times; of a stretch that was read otherwise, each has a share by its letters.
    """
    if not heard:
        return []
    ours, theirs = [_key(word) for word in shown], [_key(word.text) for word in heard]
    if ours == theirs:
        return [Word(word, other.start, other.end) for word, other in zip(shown, heard, strict=True)]
    timed: list[Word] = []
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    for _, a, b, c, d in matcher.get_opcodes():
        start = heard[c].start if c < len(heard) else heard[-1].end
        end = heard[d - 1].end if d > c else start
        if b - a == d - c:
            pairs = zip(shown[a:b], heard[c:d], strict=True)
            timed += [Word(word, other.start, other.end) for word, other in pairs]
        else:
            timed += _shared(shown[a:b], start, end)
    return timed


def _shared(shown: Sequence[str], start: float, end: float) -> list[Word]:
    lengths = [1 + chunking.weigh(word) for word in shown]
    at, timed = start, []
    for word, length in zip(shown, lengths, strict=True):
        until = at + (end - start) * length / sum(lengths)
        timed.append(Word(word, at, until))
        at = until
    return timed


def _key(word: str) -> str:
    return "".join(filter(str.isalnum, word)).lower()
