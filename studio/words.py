"""Every word on the page, English and 简体中文, from one place: `static/words.json` (scripts read it, too)."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).parent / "static" / "words.json"
LANGUAGES = ("en", "zh-CN")


class Words:
    """`say(key, language)` is the text; `{name}` in it is replaced by the values given."""

    def __init__(self, file: Path = FILE):
        self._pairs: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))

    def say(self, key: str, language: str = "en", **values: object) -> str:
        """Raises KeyError for a word that is not in the file: a missing word is a defect, not a blank."""
        text = self._pairs[key][LANGUAGES.index(language)]
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def __contains__(self, key: str) -> bool:
        return key in self._pairs

    def by_language(self) -> dict[str, dict[str, str]]:
        """The shape that `gr.I18n` takes: a flat dictionary for each language."""
        return {
            language: {f"triptych.{key}": pair[i] for key, pair in self._pairs.items()}
            for i, language in enumerate(LANGUAGES)
        }


def nearest(tag: str | None) -> str:
    """The language that we speak for a browser's language tag ("zh-Hans-CN", "en-GB;q=0.8", …)."""
    return "zh-CN" if (tag or "").strip().lower().startswith("zh") else "en"
