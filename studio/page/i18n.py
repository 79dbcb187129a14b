"""Every word on the page, English and 简体中文, from one place: `static/i18n/words.json`. The scripts say them;
Gradio's own labels are filled from here.
"""

from __future__ import annotations

import json
from pathlib import Path

STATIC = Path(__file__).parent / "static"
FILE = STATIC / "i18n" / "words.json"
LANGUAGES = ("en", "zh-CN")


class Words:
    """The words by their keys."""

    def __init__(self, file: Path = FILE):
        self._pairs: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))

    def __contains__(self, key: str) -> bool:
        return key in self._pairs

    def by_language(self) -> dict[str, dict[str, str]]:
        """The shape that `gr.I18n` takes: a flat dictionary for each language."""
        return {
            language: {f"triptych.{key}": pair[i] for key, pair in self._pairs.items()}
            for i, language in enumerate(LANGUAGES)
        }
