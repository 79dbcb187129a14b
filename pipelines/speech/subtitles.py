"""Subtitles, SRT and WebVTT, from what a spoken artifact says of its sentences. No torch: the web process calls it."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

import pysubs2

from pipelines.errors import InvalidRequest

FORMS = {"srt": "application/x-subrip", "vtt": "text/vtt"}


def subtitles(sentences: Sequence[dict[str, Any]], form: str, words: bool = False) -> str:
    """The whole file. sentences: `info["sentences"]`: {"text", "start", "end", "sentence", "words"}, seconds.

    A sentence that was spoken in several parts is one cue. words: one cue a word (of parts without words, the part).
    Raises InvalidRequest for an unknown form.
    """
    if form not in FORMS:
        raise InvalidRequest("form", form, "one of " + ", ".join(FORMS))
    cues = _by_word(sentences) if words else _by_sentence(sentences)
    file = pysubs2.SSAFile()
    file.events = [_cue(start, end, _plain(text, form)) for start, end, text in cues]
    return file.to_string(form, keep_ssa_tags=True)


def _by_sentence(sentences: Sequence[dict[str, Any]]) -> Iterator[tuple[float, float, str]]:
    for _, group in groupby(sentences, key=lambda part: part["sentence"]):
        parts = list(group)
        text = parts[0]["text"]
        for one, other in pairwise(parts):
            text += ("" if other["span"][0] == one["span"][1] else " ") + other["text"]
        yield parts[0]["start"], parts[-1]["end"], text


def _by_word(sentences: Sequence[dict[str, Any]]) -> Iterator[tuple[float, float, str]]:
    for part in sentences:
        yield from (
            ((start, end, word) for word, start, end in part["words"])
            if part["words"]
            else ([(part["start"], part["end"], part["text"])])
        )


def _cue(start: float, end: float, text: str) -> pysubs2.SSAEvent:
    """A millisecond at least, of what is not heard too: WebVTT has no cue that ends where it begins."""
    begin = pysubs2.make_time(s=start)
    return pysubs2.SSAEvent(start=begin, end=max(pysubs2.make_time(s=end), begin + 1), text=text)


def _plain(text: str, form: str) -> str:
    """The text as it will be read: what the format, or the library's own (a line break is `\\N`), would take for more.

    WebVTT has HTML's escapes; SRT has none, so that its tags get a look-alike.
    """
    text = text.replace("\\", "＼").replace("-->", "→")
    return html.escape(text, quote=False) if form == "vtt" else text.replace("<", "‹").replace(">", "›")
