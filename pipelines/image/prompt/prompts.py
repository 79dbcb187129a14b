"""Weights in prompts, as AUTOMATIC1111 made them common. No torch.

`(word)` is 1.1 times as strong, `((word))` 1.21 times, `[word]` 1/1.1 times, `(word:1.3)` 1.3 times;
`\\(`, `\\)`, `\\[`, `\\]` and `\\\\` are the characters themselves. A bracket without its partner is plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

STRONGER = 1.1
MAX_WEIGHT = 4.0  # more than that is noise, and 5,000 nested brackets would be infinite
_PARTS = re.compile(r"\\[\\()\[\]]|[()\[\]]|[^\\()\[\]]+|\\")
_EXPLICIT = re.compile(r":\s*(\d{1,3}(?:\.\d*)?|\.\d+)\s*$")
_PARTNER = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text with one weight, 0…MAX_WEIGHT."""

    text: str
    weight: float = 1.0


def parse(prompt: str) -> list[Piece]:
    """The prompt as pieces, in order; at least one. Time is linear in its length."""
    parts = _PARTS.findall(prompt)
    factors = _factors(parts)
    pieces: list[Piece] = []
    stack = [1.0]
    for i, part in enumerate(parts):
        if i not in factors:
            _append(pieces, part[1:] if len(part) == 2 and part[0] == "\\" else part, stack[-1])
        elif (factor := factors[i]) is None:
            stack.pop()
        else:
            stack.append(min(stack[-1] * factor, MAX_WEIGHT))
    return pieces or [Piece("")]


def composed(prompt: str, parts: Iterable[tuple[str, float]]) -> tuple[Piece, ...]:
    """The prompt with more texts after it, each with its weight; commas between them. A weight of 0 says nothing."""
    pieces: list[Piece] = []
    for text, weight in [(prompt, 1.0), *parts]:
        if text.strip() and weight:
            if pieces:
                _append(pieces, ", ", 1.0)
            for piece in parse(text):
                _append(pieces, piece.text, min(piece.weight * weight, MAX_WEIGHT))
    return tuple(pieces) or tuple(parse(prompt))


def plain(pieces: Iterable[Piece]) -> str | None:
    """The text, where no piece has a weight of its own; else None."""
    pieces = list(pieces)
    return "".join(piece.text for piece in pieces) if all(piece.weight == 1.0 for piece in pieces) else None


def _factors(parts: list[str]) -> dict[int, float | None]:
    """Index of every bracket that has a partner -> its factor when it opens, None when it closes.

    An explicit weight is cut off the text before its closing bracket (`parts` is changed).
    """
    found: dict[int, float | None] = {}
    open_at: list[int] = []
    for i, part in enumerate(parts):
        if part in ("(", "["):
            open_at.append(i)
        elif part in _PARTNER and (start := _partner(parts, open_at, _PARTNER[part])) is not None:
            found[start] = _factor(parts, start, i)
            found[i] = None
    return found


def _partner(parts: list[str], open_at: list[int], bracket: str) -> int | None:
    """The nearest opening bracket, if it is of the right kind: `([)` closes nothing."""
    return open_at.pop() if open_at and parts[open_at[-1]] == bracket else None


def _factor(parts: list[str], start: int, end: int) -> float:
    if parts[start] == "[":
        return 1 / STRONGER
    explicit = _EXPLICIT.search(parts[end - 1]) if end - 1 > start else None
    if explicit is None:
        return STRONGER
    parts[end - 1] = parts[end - 1][: explicit.start()]
    return float(explicit[1])


def _append(pieces: list[Piece], text: str, weight: float) -> None:
    if pieces and pieces[-1].weight == weight:
        pieces[-1] = Piece(pieces[-1].text + text, weight)
    elif text:
        pieces.append(Piece(text, weight))
