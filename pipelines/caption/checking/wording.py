"""From what a model wrote to what a person gets: forbidden words, length, style, prefix and suffix."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.alignment.phrases import phrases
from pipelines.caption.decoding import constraints
from pipelines.caption.styles import ALT_LENGTH
from pipelines.requests import CaptionRequest, CaptionStyle

_ARTICLE = re.compile(r"^(?:a|an|the|some)\s+", re.IGNORECASE)
_OPENING = re.compile(r"^(?:an?|the|this)\s+(?:image|picture|photo)(?:\s+(?:of|shows|showing))\s+", re.IGNORECASE)


def scrubbed(text: str, forbidden: str) -> str:
    """Without the forbidden words, whole ones, however they are written."""
    for word in constraints.words(forbidden):
        edge = r"\b" if word.isascii() else ""
        text = re.sub(rf"{edge}{re.escape(word)}{edge}", "", text, flags=re.IGNORECASE)
    text = re.sub(r"\s+([,.;:!?])", r"\1", re.sub(r"[^\S\n]{2,}", " ", text))
    return re.sub(r"(?:,\s*){2,}", ", ", text).strip(" ,;")


def tidy(text: str, style: CaptionStyle) -> str:
    """A style that the model wrote itself, in its usual form."""
    text = " ".join(text.split())
    if style == CaptionStyle.TAGS:
        tags = (tag.strip(" .;-*\"'") for tag in re.split(r"[,;，、]", text))
        return ", ".join(dict.fromkeys(tag.lower() for tag in tags if tag))
    if style == CaptionStyle.ALT:
        text = _OPENING.sub("", text)
        return text[:1].upper() + text[1:]
    return text


def made(caption: str, style: CaptionStyle, labels: Sequence[str], medium: str) -> str:
    """A style that the model cannot write, from its short caption and from what the alignment recognises."""
    new = [label for label in labels if not says(caption, label)]
    if style == CaptionStyle.TAGS:
        named = [bare(phrase.core) for phrase in phrases(caption)]
        return ", ".join(dict.fromkeys(tag.lower() for tag in [*named, *new] if tag))
    if style == CaptionStyle.PROMPT:
        return ", ".join(part for part in (caption.rstrip("."), medium, *new[:4]) if part)
    if style == CaptionStyle.DETAILED and new:
        return f"{caption.rstrip('.')}, with {', '.join(new[:3])}"
    return caption


def bare(name: str) -> str:
    """A thing's name without its article."""
    return _ARTICLE.sub("", name)


def listed(names: Sequence[str]) -> str:
    """ "a cat, a dog and a tree"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def cut(text: str, length: int) -> str:
    """At most that many characters, ending at a word's end where there is one in the second half."""
    if len(text) <= length:
        return text
    short = text[: max(length - 1, 0)]
    space = short.rfind(" ")
    whole = short[:space] if space > len(short) // 2 and text[len(short)] != " " else short
    return (whole.rstrip(" ,;:-") + "…")[:length]


def framed(text: str, request: CaptionRequest) -> tuple[str, int]:
    """With prefix and suffix, and where the text begins. Alternative texts keep their length with both."""
    prefix = request.prefix + (" " if _tight(request.prefix[-1:]) else "")
    suffix = (" " if _tight(request.suffix[:1]) else "") + request.suffix
    if request.style == CaptionStyle.ALT:
        text = cut(text, max(ALT_LENGTH - len(prefix) - len(suffix), 0))
        return (prefix + text + suffix)[:ALT_LENGTH], len(prefix)
    return prefix + text + suffix, len(prefix)


def _tight(character: str) -> bool:
    """Whether a space belongs between that character and a word."""
    return bool(character) and (character.isalnum() or character in ",.;:!?)\"'") and character.isascii()


def says(caption: str, label: str) -> bool:
    """Whether a caption has that name in it, in whatever case, a plural too."""
    return re.search(rf"\b{re.escape(label)}", caption, re.IGNORECASE) is not None
