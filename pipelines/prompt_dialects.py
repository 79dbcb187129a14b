"""What other programs' prompts ask for beside words, and we cannot do: taken out of the prompt, and said. No torch.

Left in, `<lora:detail:0.7>` would be read as words, and BREAK would be drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_LONGEST = 10_000
_SHOWN = 60  # characters of what was found, in a sentence
_NUMBER = r"\s*[-+]?(?:\d+\.?\d*|\.\d+)\s*"
_TEXT = r"[^\[\]()<>|:]*"


def plain(prompt: str) -> tuple[str, list[str]]:
    """The prompt in words and weights that we know, and one sentence for each thing that was not. Time is linear."""
    notes: dict[str, None] = {}
    if len(prompt) > _LONGEST:  # no request takes it
        return prompt, []
    for pattern, kept, sentence in _DIALECTS:
        if pattern in (_BREAK, _AND) and (prompt.isupper() or not _JOINED.search(prompt)):
            continue  # somebody who shouts; or no such word

        def replaced(match: re.Match, kept: Callable = kept, sentence: str = sentence) -> str:
            found = match[0].strip()
            notes[sentence.replace("{found}", found if len(found) <= _SHOWN else found[:_SHOWN] + "…")] = None
            return kept(match)

        prompt = pattern.sub(replaced, prompt)
    return (_tidy(prompt) if notes else prompt), list(notes)


def _becomes(match: re.Match) -> str:
    """Of `[from:to:when]` what it ends with."""
    return match["to"] if match["to"].strip() else match["first"] or ""


def _tidy(prompt: str) -> str:
    """Without the commas and spaces that surrounded what is gone."""
    prompt = re.sub(r"(?: ?,)+", ",", re.sub(r"[ \t]+", " ", prompt))
    lines = (line.strip(" ,") for line in prompt.split("\n"))
    return "\n".join(line for line in lines if line)


_EXTRA = re.compile(r"<(?:lora|lyco|hypernet)\s*:[^<>\n]{1,300}>", re.IGNORECASE)
_EDITED = re.compile(rf"\[(?:(?P<first>{_TEXT}):)?(?P<to>{_TEXT}):{_NUMBER}\]")
_TURNS = re.compile(rf"\[(?P<first>{_TEXT})(?:\|{_TEXT})+\]")
_AGAINST = re.compile(rf"\({_TEXT}:\s*-\s*(?:\d+\.?\d*|\.\d+)\s*\)")
_JOINED = re.compile(r"\b(?:BREAK|AND)\b")
_BREAK = re.compile(r"\bBREAK\b")
_AND = re.compile(rf"(?:\s:{_NUMBER})?\bAND\b")
_DIALECTS: tuple[tuple[re.Pattern, Callable[[re.Match], str], str], ...] = (
    (_EXTRA, lambda _: "", "{found} asks for weights beside the model's, which cannot be loaded yet; it was left out."),
    (_EDITED, _becomes, "{found} changes the prompt on the way, which cannot be done; what it ends with was kept."),
    (_TURNS, lambda match: match["first"], "{found} takes words by turns, which cannot be done; the first were kept."),
    (_AGAINST, lambda _: "", "{found} has a weight below 0, which cannot be done; it was left out."),
    (_BREAK, lambda _: ",", "{found} begins a new part of the prompt, which cannot be done; a comma was put there."),
    (_AND, lambda _: ",",
     "{found} joins prompts that are weighed by themselves, which cannot be done; a comma was put there."),
)  # fmt: skip
