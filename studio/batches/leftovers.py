"""What sudden deaths have left behind in the data folder: half-written files, and pictures of batches without a row.

Removed is what never became whole, what belongs to batches that people have deleted, and copies that the studio made of
a picture. A picture as it came is moved to `lost+found`: an older database may have been put back that knows it not.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from studio.batches.files import SMALL
from studio.search.reindex import GROUP
from studio.storage.artifact_files import drop, is_kind, without_leftovers
from studio.storage.recovery.lost_and_found import LostAndFound
from studio.storage.recovery.rows import RecoveryRows

_BATCH = re.compile(r"[0-9a-f]{32}")
_PICTURE = re.compile(r"([0-9a-f]{64})\.\w{1,8}")


class Leftovers:
    """moved: how many pictures `run` has put aside."""

    def __init__(self, data: Path, rows: RecoveryRows, lost: LostAndFound):
        self._data, self._rows, self._lost = data, rows, lost
        self.moved = 0

    def run(self) -> int:
        """After the gallery's own recovery, which may have found captions again that need their pictures."""
        for folder in (self._data, self._data / "backups"):
            list(without_leftovers(folder, []))
        deleted, items = self._rows.deleted("batch"), self._rows.batch_pictures()
        rooms = (self._data / "batches", self._data / "uploads")
        strays = [path for room in rooms for path in self._walk(room, items, deleted)]
        needed = self._rows.described_pictures() if strays else set()
        for path in strays:
            self._stray(path, needed)
        if deleted:
            self._rows.forget_deletions("batch")
        return self.moved

    def sentences(self) -> list[str]:
        said = f"Pictures of batches that nothing is known of were moved to {self._lost.name} in the data folder: {{}}."
        return [said.format(self.moved)] if self.moved else []

    def _walk(self, room: Path, items: dict[str, set[str]], deleted: dict[str, str]) -> Iterator[Path]:
        """What no batch knows: single files of those that there are, whole folders of others."""
        for owner in _folders(room):
            for batch in _folders(Path(owner.path)):
                path = Path(batch.path)
                if batch.name in deleted or batch.name == GROUP:
                    shutil.rmtree(path, ignore_errors=True)
                elif batch.name in items:
                    files = [(entry, _PICTURE.fullmatch(entry.name)) for entry in without_leftovers(path, [])]
                    yield from (Path(e.path) for e, name in files if name and name[1] not in items[batch.name])
                elif _BATCH.fullmatch(batch.name):
                    yield path

    def _stray(self, path: Path, needed: set[str]) -> None:
        if path.is_dir():
            pictures = [name[1] for entry in without_leftovers(path, []) if (name := _PICTURE.fullmatch(entry.name))]
            if not needed.intersection(pictures) and self._lost.take(path) and path.parents[1].name == "batches":
                self.moved += len(set(pictures))
        elif path.parents[2].name == "batches" and path.suffix != SMALL:
            self.moved += self._lost.take(path) is not None
        elif path.stem not in needed:
            drop(path)


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    return [entry for entry in without_leftovers(folder, []) if is_kind(entry.is_dir)]
