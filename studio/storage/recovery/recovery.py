"""At start, before anything is served: files and rows are made to agree, and nothing that a person made is deleted.

A file without a row gets one from what is written beside it or in it; where neither says enough it is moved to
`lost+found`. A row without its file stays, as its file may be on a disk that is not connected; when more than a few are
missing, the start stops and says so. Removed is only what people have deleted, and what never became whole.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from studio.storage.artifact_files import MEDIA_TYPES, ArtifactFiles, Found, drop
from studio.storage.artifact_sidecars import SUFFIX, row_of
from studio.storage.records import ArtifactRow, JobStatus
from studio.storage.recovery.lost_and_found import LostAndFound
from studio.storage.recovery.rows import RecoveryRows
from studio.storage.recovery.starting import CannotStart

FEW, SHARE = 5, 0.05  # of all that are missing for the first time: more than both is not an accident of single files
MANY = 1000  # files that take long enough to say so
NOBODY = "recovered"  # whose the files are that nobody can tell the owner of
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Report:
    """What a start has found. undescribed: artifacts without a sidecar, which may be written at leisure."""

    adopted: int = 0
    of_nobody: int = 0
    moved: int = 0
    stuck: int = 0
    missing: int = 0
    unread: list[Path] = field(default_factory=list)
    undescribed: set[str] = field(default_factory=set)

    def sentences(self, lost: str) -> list[str]:
        """For people. lost: the folder where things were moved."""
        said = {
            "Files that the database did not know have their places in the gallery again: {}.": self.adopted,
            "Of these, files that do not say whose they are: {}; `triptych rebuild --owner NAME` gives them to "
            "somebody.": self.of_nobody,
            f"Files that nothing is known of were moved to {lost} in the data folder: {{}}.": self.moved,
            "Files that nothing is known of and that could not be moved: {}; the log says why.": self.stuck,
            "Files of the gallery that are missing from the data folder: {}; they come back when their files do.":
                self.missing,
            "Folders of the gallery that could not be read: {}; the log says why.": len(self.unread),
        }  # fmt: skip
        return [sentence.format(count) for sentence, count in said.items() if count]


class Recovery:
    """owner: who gets the files whose own cannot be told; None: the only one there is, or NOBODY."""

    def __init__(self, files: ArtifactFiles, rows: RecoveryRows, lost: LostAndFound, owner: str | None = None):
        self._files, self._rows, self._lost, self._owner = files, rows, lost, owner
        self.report = Report()

    def run(self, allow_missing: bool = False) -> Report:
        """Raises CannotStart, before anything is changed, where more than a few files are missing."""
        known = self._rows.types()
        found = self._files.look(known)
        missing = set(known) - found.present
        self._few(missing - self._rows.missing(), known, found, allow_missing)
        if missing != self._rows.missing():
            self._rows.keep_missing(missing)
        known |= self._unknown(found)
        for thumb in self._files.stray_thumbs(known):
            self._lost.take(thumb)
        self.report.missing, self.report.unread = len(missing), found.unread
        self.report.undescribed |= found.present - found.described
        return self.report

    def _few(self, gone: set[str], known: Mapping[str, str], found: Found, allowed: bool) -> None:
        if not gone or allowed or (found.present and (len(gone) <= FEW or len(gone) <= SHARE * len(known))):
            return
        raise CannotStart(
            f"{len(gone)} of the {len(known)} files of the gallery are missing from {self._files.files}: connect the "
            "disk that they are on, or put them back, and start again; or start with --allow-missing to go on without "
            "them (nothing is deleted, and they come back when their files do)"
        )

    def _unknown(self, found: Found) -> dict[str, str]:
        """What to do with each file that has no row. Returns what has got one: id -> media type."""
        deleted = self._rows.deleted("artifact")
        rows = self._readable([path for path in found.unknown if path.stem not in deleted])
        self._rows.adopt(rows)
        adopted = {row.id: row.media_type for row in rows}
        for path in found.unknown:
            if path.stem in deleted:
                self._files.unlink(path.stem)
            elif path.stem not in adopted:
                self._put_aside(path)
        if deleted and found.present and not found.unread:
            self._rows.forget_deletions("artifact")
        return adopted

    def _readable(self, paths: list[Path]) -> list[ArtifactRow]:
        """The rows of those that tell enough, the oldest first. A picture whose job was cancelled is not wanted."""
        if len(paths) > MANY:
            log.warning("%s files are read, as the database does not know them; this takes a while", f"{len(paths):,}")
        rows: list[ArtifactRow] = []
        for path in paths:
            media_type = MEDIA_TYPES.get(path.suffix[1:])
            if media_type and path.parent == self._files.file(path.stem, media_type).parent:
                row = row_of(path, media_type, NOBODY)
                rows += [row] if row else []
        owner = self._owner or self._only_owner(rows)
        rows = [replace(row, owner=owner) if row.owner == NOBODY else row for row in rows]
        status = self._rows.job_status([row.job_id for row in rows])
        rows = [row for row in rows if status.get(row.job_id) != JobStatus.CANCELLED]
        self.report.adopted += len(rows)
        self.report.of_nobody += sum(row.owner == NOBODY for row in rows)
        self.report.undescribed |= {row.id for row in rows if not self._files.sidecar(row.id).exists()}
        return sorted(rows, key=lambda row: row.created)

    def _only_owner(self, rows: list[ArtifactRow]) -> str:
        owners = {*self._rows.owners(), *(row.owner for row in rows)} - {NOBODY}
        return owners.pop() if len(owners) == 1 else NOBODY

    def _put_aside(self, path: Path) -> None:
        """What is beside a file goes with it and is not counted, and goes for good if its job will be done again."""
        if path.suffix != SUFFIX:
            moved = self._lost.take(path)
            self.report.moved += moved is not None
            self.report.stuck += moved is None
        elif _to_be_made(path, self._rows):
            drop(path)
        else:
            self._lost.take(path)


def _to_be_made(sidecar: Path, rows: RecoveryRows) -> bool:
    """Whether it was written for a file that never was, by a job that has not ended."""
    try:
        job = str(json.loads(sidecar.read_bytes())["job"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    status = rows.job_status([job]).get(job)
    return status is not None and not status.ended
