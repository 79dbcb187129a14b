"""What people change in the captions of a batch, and how it reaches the gallery."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.errors import InvalidRequest, NotAllowed, NotFound, TriptychError
from studio import limits
from studio.batches.records import CaptionBatch, Item, ItemStatus
from studio.batches.store import BatchStore

if TYPE_CHECKING:
    from studio.batches.checks import CaptionChecks
    from studio.batches.feeder import Feeder
    from studio.storage.gallery import Gallery

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


class CaptionEdits:
    """get: the owner's batch, or NotFound; take_out: ends the jobs of items that need no model any more."""

    def __init__(self, gallery: Gallery, feed: Feeder, rows: BatchStore, checks: CaptionChecks,
                 get: Callable[[str, str], CaptionBatch], take_out: Callable[[str, list[Item]], None]):  # fmt: skip
        self._gallery, self._feed, self._rows, self._checks = gallery, feed, rows, checks
        self._get, self._take_out = get, take_out

    def write(self, owner: str, id: str, texts: Mapping[int, str], what: str = "write") -> int:
        """A person's captions by number; returns how many have changed. Raises NotFound, InvalidRequest."""
        self._get(owner, id)
        with self._feed.lock:  # as none of them must become a job between the look and the words
            items = {item.number: item for item in self._rows.items(id)}
            if missing := [number for number in texts if number not in items or not items[number].picture]:
                raise InvalidRequest("number", missing[0], "the number of a picture of this batch")
            changed = {n: _writable(text) for n, text in texts.items() if text != items[n].text}
            if changed:
                self._rows.write(id, changed, what)  # first, so that the end of a job is not heard any more
                self._take_out(owner, [items[n] for n in changed if items[n].status == ItemStatus.ASKED])
        if changed:
            self._pass_on(owner, id, list(changed))
        return len(changed)

    def edit(self, owner: str, id: str, edit: Edit) -> int:
        """The same change to every caption of the batch; returns how many have changed."""
        self._get(owner, id)
        change = edit.change()
        items = [item for item in self._rows.at_rest(id) if item.text is not None]
        return self.write(owner, id, {item.number: change(item.text or "") for item in items}, json.dumps(
            {"action": edit.action, "find": edit.find, "put": edit.put}, ensure_ascii=False))  # fmt: skip

    def undo(self, owner: str, id: str) -> int:
        """Take back the last change; returns how many captions that were. Raises NotAllowed."""
        self._get(owner, id)
        numbers = self._rows.undone(id)
        if numbers is None:
            raise NotAllowed("There is nothing to undo.")
        self._pass_on(owner, id, numbers)
        return len(numbers)

    def heard(self, owner: str, artifact: str, text: str) -> None:
        """A caption was changed in the gallery; if it is of a batch, it changes there."""
        for item in self._rows.of_artifact(artifact):
            with suppress(TriptychError):
                self.write(owner, item.batch, {item.number: text})

    def _pass_on(self, owner: str, id: str, numbers: list[int]) -> None:
        """The captions in the gallery follow, each with its file; that takes a while for many."""
        for number in numbers:
            self._feed.later(partial(self._rewrite, owner, id, number))
        self._checks.wake()

    def _rewrite(self, owner: str, id: str, number: int) -> None:
        item = self._rows.item(id, number)
        if item and item.artifact and item.text is not None:
            with suppress(NotFound, NotAllowed):
                self._gallery.rewrite(owner, item.artifact, item.text)


def _writable(text: str) -> str:
    """Without halves of characters, which JSON may hold, and within bounds. Raises InvalidRequest."""
    if len(text) > limits.CAPTION_CHARACTERS:
        raise InvalidRequest("text", text, f"at most {limits.CAPTION_CHARACTERS:,} characters")
    return text.encode(errors="replace").decode()
