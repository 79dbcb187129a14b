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
    return field if field in places else ""


def sentence(error: TriptychError, words: Words, language: str) -> str:
    """What to tell a person. English keeps the error's own sentence where the words file has nothing better."""
    if isinstance(error, InvalidRequest):
        return _invalid(error, words, language)
    said = words.phrase(str(error), language)
    key = f"error.{error.code}"
    known = language == "en" or said != str(error) or key not in words
    return said if known else words.say(key, language)


def _invalid(error: InvalidRequest, words: Words, language: str) -> str:
    label = words.say(LABELS[error.field], language) if error.field in LABELS else error.field
    allowed = [words.phrase(part, language) for part in error.allowed.split(", ")]
    comma = ", " if language == "en" else "，"
    return words.say("error.invalid", language, field=label, got=error.got, allowed=comma.join(allowed))
