"""Changes to many captions at once: find and replace, tags. Pure functions from a text to a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.errors import InvalidRequest

Words = Annotated[str, Field(max_length=1000)]


class Edit(BaseModel):
    """replace: every `find` becomes `put`. add: the tag `put` at one end, where it is not there yet. remove: the tag
    `find` goes. case: capitals count. whole: only whole words are found.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["replace", "add", "remove"]
    find: Words = ""
    put: Words = ""
    at: Literal["begin", "end"] = "end"
    case: bool = False
    whole: bool = False

    def change(self) -> Callable[[str], str]:
        """The function that does it; raises InvalidRequest where there is nothing to look for or to add."""
        needed = "put" if self.action == "add" else "find"
        if not getattr(self, needed).strip():
            raise InvalidRequest(needed, getattr(self, needed), "a word or more")
        return {"replace": self._replaced, "add": self._added, "remove": self._removed}[self.action]

    def _replaced(self, text: str) -> str:
        pattern = re.escape(self.find)
        if self.whole:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        return re.sub(pattern, lambda _: self.put, text, flags=0 if self.case else re.IGNORECASE)

    def _added(self, text: str) -> str:
        tag, there = self.put.strip(), tags(text)
        if self._same(tag) in map(self._same, there):
            return text
        return ", ".join([tag, *there] if self.at == "begin" else [*there, tag])

    def _removed(self, text: str) -> str:
        there = tags(text)
        left = [tag for tag in there if self._same(tag) != self._same(self.find.strip())]
        return text if len(left) == len(there) else ", ".join(left)

    def _same(self, tag: str) -> str:
        return tag if self.case else tag.casefold()


def tags(text: str) -> list[str]:
    """What stands between the commas."""
    return [tag for tag in (part.strip() for part in re.split(r"[,，]", text)) if tag]
