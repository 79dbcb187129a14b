"""What a voice can read of a text: the letters of its language's script, no control characters, no pictures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_SCRIPTS = {
    "en": ("LATIN",), "fr": ("LATIN",), "de": ("LATIN",), "es": ("LATIN",), "it": ("LATIN",), "pt": ("LATIN",),
    "nl": ("LATIN",), "pl": ("LATIN",), "ru": ("CYRILLIC", "LATIN"), "uk": ("CYRILLIC", "LATIN"),
    "el": ("GREEK", "LATIN"), "ar": ("ARABIC", "LATIN"), "hi": ("DEVANAGARI", "LATIN"), "ko": ("HANGUL", "LATIN"),
    "zh": ("CJK", "LATIN"), "ja": ("CJK", "HIRAGANA", "KATAKANA", "LATIN"),
    "ja-hrkt": ("HIRAGANA", "KATAKANA", "LATIN"),
}  # fmt: skip
_RUN = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f'’])*")
_KEPT = frozenset("°©®™№℃℉^`")
_UNSEEN = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f\u20e3")  # soft hyphen, joiners, …
_SPACES = re.compile(r"\s+")
_MARKDOWN = re.compile(r"[*`#]{2,}|(?<!\S)[*`#]+|[*`]+(?!\S)|(?<!\w)_+|_+(?!\w)")
_SHOWN = 5  # words of a warning
_REMEMBERED = 8192  # characters


def cleaned(text: str) -> str:
    """One line without control characters, emoji and the marks of Markdown; wide letters and foreign digits as ours."""
    return _SPACES.sub(" ", _MARKDOWN.sub("", text.translate(_PLAIN))).strip()


def readable(text: str, languages: Sequence[str], skipped: list[str]) -> str:
    """The text, which is `cleaned`, without the words in scripts that the languages do not use; these are added to
    `skipped`."""
    known = {_written(language.lower()) for language in languages}
    if not known or not known <= _SCRIPTS.keys():
        return text
    scripts = tuple(script for language in sorted(known) for script in _SCRIPTS[language])
    if text.isascii() and "LATIN" in scripts:
        return text

    def keep(run: re.Match[str]) -> str:
        if all(_in(letter, scripts) for letter in run[0]):
            return run[0]
        skipped.append(run[0])
        return " "

    return _SPACES.sub(" ", _RUN.sub(keep, text)).strip()


def warning(skipped: Sequence[str], name: str, languages: Sequence[str]) -> str:
    """One sentence about what was left out."""
    words = list(dict.fromkeys(skipped))
    listed = ", ".join(word if len(word) <= 20 else word[:19] + "…" for word in words[:_SHOWN])
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return f"Skipped, as {name} cannot read it (its languages: {named(languages)}): {listed}{more}."


def named(languages: Sequence[str]) -> str:
    """The languages as a sentence lists them, each once."""
    kana = {"ja-hrkt": "ja without kanji"}
    return ", ".join(dict.fromkeys(kana.get(tag.lower(), tag.partition("-")[0]) for tag in languages))


def _written(language: str) -> str:
    """The tag as far as it says how the language is written: "en-us" is written as "en", "ja-hrkt" without kanji."""
    return language if language in _SCRIPTS else language.partition("-")[0]


class _Plain(dict[int, str]):
    """For `str.translate`, by the numbers of the characters; remembers the first so many that it was asked for."""

    def __missing__(self, number: int) -> str:
        found = _plain(chr(number))
        if len(self) < _REMEMBERED:
            self[number] = found
        return found


_PLAIN = _Plain()


def _plain(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _KEPT:
        return character
    if character in _UNSEEN:
        return ""
    if "\uff00" <= character <= "\uffef":
        return unicodedata.normalize("NFKC", character)
    if kind == "Nd":
        return str(unicodedata.digit(character))
    return " " if kind[0] in "CZ" or kind in ("So", "Sk") else character


@lru_cache(maxsize=_REMEMBERED)
def _in(letter: str, scripts: tuple[str, ...]) -> bool:
    return not letter.isalpha() or unicodedata.name(letter, "").startswith(scripts)
