"""A text's blocks: paragraphs, headings, list items, lines of a dialogue. Line breaks of a typewriter do not count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.speech.markup import VOICE

_LINE = re.compile(r"[^\r\n\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]|\Z)")
# What begins a block of its own: a heading, a list item, a quotation mark of e-mail.
_MARK = re.compile(r"[ \t]*(?:#{1,6}[ \t]+|[-*•–]\s+|>\s?|(?=\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]\s))")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]")
_WRAPPED = 40  # a line at least this long goes on in the next one


@dataclass(slots=True)
class Block:
    """Characters [start, end) of the text, to be spoken by `voice` ("": the request's). paragraph: opens one."""

    start: int
    end: int
    voice: str
    paragraph: bool


def blocks(text: str) -> Iterator[Block]:
    """The blocks in order. Their spans do not overlap and leave out `[voice:…]`, marks of lists and empty lines."""
    block, fresh, goes_on = None, True, False
    for line in _LINE.finditer(text):
        start, end = line.start(), line.start() + len(line[0].rstrip())
        if start == end:
            fresh, goes_on = True, False
            continue
        tag, mark = VOICE.match(text, start, end), _MARK.match(text, start, end)
        if block and goes_on and not (tag or mark):
            block.end = end
        else:
            if block:
                yield block
            begin = tag.end() if tag else mark.end() if mark else start
            heading = bool(_HEADING.match(text, start, end))
            block = Block(begin, end, tag[1].strip() if tag else "", fresh or heading)
            fresh = heading  # what follows a heading opens a paragraph too
        goes_on = end - start >= _WRAPPED and not fresh
    if block:
        yield block
