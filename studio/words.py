"""Every word on the page, English and 简体中文, from one place: `static/words.json` (scripts read it, too)."""

from __future__ import annotations

import json
import re
from pathlib import Path

FILE = Path(__file__).parent / "static" / "words.json"
PHRASES = FILE.with_name("phrases.json")
LANGUAGES = ("en", "zh-CN")


class Words:
    """`say(key, language)` is the text; `{name}` in it is replaced by the values given."""

    def __init__(self, file: Path = FILE):
        self._pairs: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
        self._phrases = [
            (_pattern(english), other) for english, other in json.loads(PHRASES.read_text(encoding="utf-8"))
        ]

    def say(self, key: str, language: str = "en", **values: object) -> str:
        """Raises KeyError for a word that is not in the file: a missing word is a defect, not a blank."""
        text = self._pairs[key][LANGUAGES.index(language)]
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def phrase(self, text: str, language: str) -> str:
        """A sentence of ours, written in English, in another language; one that is not known stays as it came."""
        if language == "en":
            return text
        for pattern, other in self._phrases:
            if found := pattern.fullmatch(text):
                values = {name: self.phrase(value, language) for name, value in found.groupdict().items()}
                return _filled(other, values)
        return text

    def __contains__(self, key: str) -> bool:
        return key in self._pairs

    def by_language(self) -> dict[str, dict[str, str]]:
        """The shape that `gr.I18n` takes: a flat dictionary for each language."""
        return {
            language: {f"triptych.{key}": pair[i] for key, pair in self._pairs.items()}
            for i, language in enumerate(LANGUAGES)
        }


def _pattern(english: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", english)
    places = (f"(?P<{part}>.+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
    return re.compile("".join(places), re.DOTALL)


def _filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda place: values[place[1]], text)


def nearest(tag: str | None) -> str:
    """The language that we speak for a browser's language tag ("zh-Hans-CN", "en-GB;q=0.8", …)."""
    return "zh-CN" if (tag or "").strip().lower().startswith("zh") else "en"
