"""Texts that are longer than a model's window, cut into parts that fit it."""

from __future__ import annotations

from collections.abc import Sequence

ENDS = ".,;:!?。，；：！？、\n"
Span = tuple[int, int]


def parts(text: str, offsets: Sequence[Span], room: int) -> list[str]:
    """`text` in parts of at most `room` ≥ 1 tokens. offsets: the span of characters of each of its tokens.

    A part ends after the last punctuation mark in its second half; else at its last space; else where it is full.
    """
    if len(offsets) <= room:
        return [text]
    found, first = [], 0
    while first < len(offsets):
        after = _cut(text, offsets, first, min(first + room, len(offsets)))
        found.append(text[offsets[first][0] : offsets[after - 1][1]].strip())
        first = after
    return [part for part in found if part] or [text]


def _cut(text: str, offsets: Sequence[Span], first: int, limit: int) -> int:
    """Index of the first token that is not in the part any more; more than `first`."""
    if limit == len(offsets):
        return limit
    middle = first + (limit - first + 1) // 2
    for last in range(limit - 1, middle - 1, -1):
        if text[offsets[last][1] - 1] in ENDS:
            return last + 1
    for after in range(limit, first, -1):
        if offsets[after][0] > offsets[after - 1][1] or text[offsets[after][0]].isspace():
            return after
    return _whole_character(offsets, first, limit)


def _whole_character(offsets: Sequence[Span], first: int, limit: int) -> int:
    """A character of several tokens is not torn apart where that can be helped."""
    for after in range(limit, first, -1):
        if offsets[after][0] >= offsets[after - 1][1]:
            return after
    return limit
