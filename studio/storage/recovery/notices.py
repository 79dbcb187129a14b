"""What whoever runs the studio should know: sentences, in the log and, where only this machine can ask, on the page."""

from __future__ import annotations

import logging
from collections.abc import Iterable

MOST = 20
log = logging.getLogger(__name__)


class Notices:
    """The latest ones, each once. Safe to use from several threads: appending to a list is one step."""

    def __init__(self, sentences: Iterable[str] = ()):
        self._said: list[str] = []
        for sentence in sentences:
            self.say(sentence)

    def say(self, sentence: str) -> None:
        if sentence not in self._said:
            log.warning("%s", sentence)
            self._said.append(sentence)
            del self._said[:-MOST]

    def all(self) -> list[str]:
        return list(self._said)
