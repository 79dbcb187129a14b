"""A domain error as one sentence in the reader's language, and the field under which it belongs."""

from __future__ import annotations

import json
from collections.abc import Container

from pipelines.errors import InvalidRequest, TriptychError
from studio.words import FILE, Words

LABELS: dict[str, str] = json.loads(FILE.with_name("labels.json").read_text(encoding="utf-8"))  # field -> its word
_OF_CODE = {"unknown_model": "model", "model_unavailable": "model", "bad_upload": "start_picture"}


def field_of(error: TriptychError, places: Container[str] = LABELS) -> str:
    """The field of the form that the error is about, or "" for the form as a whole. places: the fields that it has."""
    field = getattr(error, "field", None) or _OF_CODE.get(error.code, "")
    return next((place for place in (field, field.partition(".")[0]) if place in places), "")


def sentence(error: TriptychError, words: Words, language: str) -> str:
    """What to tell a person. English keeps the error's own sentence where the words file has nothing better."""
    if isinstance(error, InvalidRequest):
        return _invalid(error, words, language)
    said = words.phrase(str(error), language)
    key = f"error.{error.code}"
    known = language == "en" or said != str(error) or key not in words
    return said if known else words.say(key, language)


def label_of(field: str, words: Words, language: str) -> str:
    """ "width" is "Width, pixels", "parts.1.weight" is "Part 2, weight"; what has no label is told as it came."""
    first, *rest = field.split(".")
    if rest and rest[0].isdecimal() and f"{first}.one" in words:
        said, rest = [words.say(f"{first}.one", language, n=int(rest[0]) + 1)], rest[1:]
    else:
        said = [words.say(LABELS[first], language) if first in LABELS else first]
    said += [words.say(LABELS[name], language) if name in LABELS else name for name in rest]
    return words.say("comma", language).join(said)


def _invalid(error: InvalidRequest, words: Words, language: str) -> str:
    label = label_of(error.field, words, language)
    parts = error.allowed.split(", ")
    told = [words.phrase(part, language) for part in parts]
    allowed = words.phrase(error.allowed, language) if told == parts else words.say("comma", language).join(told)
    return words.say("error.invalid", language, field=label, got=words.phrase(error.got, language), allowed=allowed)
