"""Phonemes by espeak, and where among the phonemes of a sentence each of its words lies."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from phonemizer.backend import EspeakBackend

_MARKS = str.maketrans(dict.fromkeys(';:,.!?¡¿—…"«»“”(){}[]', " "))
_NO_SOUND = " ˈˌ"

Span = tuple[int, int]


def read(text: str, language: str) -> str:
    """The text's phonemes with its punctuation, and spaces between words. language: as espeak calls it.

    Without the names of languages, in brackets, that espeak sets around a foreign word: they would be read out.
    """
    return " ".join(" ".join(_espeak(language).phonemize([text])).split())


def heard(phonemes: str) -> bool:
    """Whether there is more than punctuation."""
    return bool(phonemes.translate(_MARKS).strip(_NO_SOUND))


def spans(alone: Sequence[str], whole: str) -> list[Span]:
    """Where each word lies in the phonemes of the whole. alone: the phonemes of each word as it is read by itself.

    espeak joins some words ("of the" is ʌvðə) and reads some a little otherwise among others: what differs in length is
    dealt out in proportion. Marks belong to no word, and a word without phonemes has the span (0, 0).
    """
    said, flat = (text.translate(_MARKS) for text in (" ".join(filter(None, alone)), whole))
    at, found, start = _places(said, flat), [], 0
    for word in alone:
        found.append(_trimmed(flat, at[start], at[start + len(word)]) if word else (0, 0))
        start += len(word) + 1 if word else 0
    return found


def _places(said: str, heard: str) -> list[int]:
    """For each phoneme of what is said, and for the end of it, its place in what is heard."""
    at = []
    for _, a, b, c, d in SequenceMatcher(None, said, heard, autojunk=False).get_opcodes():
        at += [c + round((k - a) * (d - c) / (b - a)) for k in range(a, b)]
    return [*at, len(heard)]


def _trimmed(phonemes: str, start: int, end: int) -> Span:
    """Without the spaces at both ends, and without the stress of the next word."""
    end = start + len(phonemes[start:end].rstrip(_NO_SOUND))
    return end - len(phonemes[start:end].lstrip(" ")), end


@lru_cache(maxsize=16)
def _espeak(language: str) -> EspeakBackend:
    quiet = logging.getLogger(__name__)  # or every sentence with joined or foreign words would be a warning
    quiet.setLevel(logging.ERROR)
    return EspeakBackend(
        language, preserve_punctuation=True, with_stress=True, language_switch="remove-flags", logger=quiet
    )
