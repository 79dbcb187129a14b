"""A domain error as one sentence in the reader's language, and the field under which it belongs."""

from __future__ import annotations

import re
from collections.abc import Container

from pipelines.errors import InvalidRequest, TriptychError
from studio.words import Words

LABELS = {"prompt": "prompt", "negative_prompt": "negative", "model": "model", "width": "width", "height": "height",
          "count": "count", "sampler": "sampler", "steps": "steps", "guidance_scale": "guidance", "seed": "seed",
          "start_picture": "start", "strength": "strength"}  # fmt: skip
_OF_CODE = {"unknown_model": "model", "model_unavailable": "model", "bad_upload": "start_picture"}
_LIMITS = (
    (r"at most ([\d,.]+) characters", "allowed.characters"),
    (r"at least ([\d,.]+)", "allowed.at_least"),
    (r"more than ([\d,.]+)", "allowed.more_than"),
    (r"at most ([\d,.]+)", "allowed.at_most"),
    (r"a multiple of ([\d,.]+)", "allowed.multiple"),
    (r"one of (.+)", "allowed.one_of"),
)


def field_of(error: TriptychError, places: Container[str] = LABELS) -> str:
    """The field of the form that the error is about, or "" for the form as a whole. places: the fields that it has."""
    field = getattr(error, "field", None) or _OF_CODE.get(error.code, "")
    return field if field in places else ""


def sentence(error: TriptychError, words: Words, language: str) -> str:
    """What to tell a person. English keeps the error's own sentence where the words file has nothing better."""
    if isinstance(error, InvalidRequest):
        return _invalid(error, words, language)
    key = f"error.{error.code}"
    return str(error) if language == "en" or key not in words else words.say(key, language)


def _invalid(error: InvalidRequest, words: Words, language: str) -> str:
    label = words.say(LABELS[error.field], language) if error.field in LABELS else error.field
    allowed = _allowed(error.allowed, words, language)
    return words.say("error.invalid", language, field=label, got=error.got, allowed=allowed)


def _allowed(allowed: str, words: Words, language: str) -> str:
    for pattern, key in _LIMITS:
        allowed = re.sub(pattern, lambda found, key=key: words.say(key, language, n=found[1]), allowed)
    return allowed.replace(", ", "，") if language != "en" else allowed
