"""Where the files of an artifact lie, and what is really there.

`files/<two digits>/<id>.<extension>` is the artifact, `<id>.json` beside it what is known of it, and
`thumbs/<two digits>/<id>.webp` its small picture.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studio.storage.artifact_sidecars import SUFFIX, encode
from studio.storage.artifacts import EXTENSIONS, extension
from studio.storage.atomic import is_leftover, write_file
from studio.storage.records import ArtifactRow

MEDIA_TYPES = {name: media_type for media_type, name in EXTENSIONS.items()}
_DESCRIBED = SUFFIX.removeprefix(".")
OURS = re.compile(r"[0-9a-f]{32}\.[0-9a-z]{1,8}")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Found:
    """What a walk has seen. present: ids whose file is there; described: those with a sidecar; unknown: files that are
    named as ours are, without a row; unread: folders that could not be opened.
    """

    present: set[str] = field(default_factory=set)
    described: set[str] = field(default_factory=set)
    unknown: list[Path] = field(default_factory=list)
    unread: list[Path] = field(default_factory=list)


class ArtifactFiles:
    def __init__(self, data: Path):
        self.files, self.thumbs = data / "files", data / "thumbs"

    def file(self, id: str, media_type: str) -> Path:
        return self.files / id[:2] / f"{id}.{extension(media_type)}"

    def sidecar(self, id: str) -> Path:
        return self.files / id[:2] / f"{id}{SUFFIX}"

    def thumb(self, id: str) -> Path:
        return self.thumbs / id[:2] / f"{id}.webp"

    def describe(self, row: ArtifactRow) -> None:
        write_file(self.sidecar(row.id), encode(row))

    def unlink(self, id: str) -> None:
        """All that there is of it, whatever it was."""
        names = [self.files / id[:2] / f"{id}.{name}" for name in (*MEDIA_TYPES, _DESCRIBED)]
        for path in (*names, self.thumb(id)):
            path.unlink(missing_ok=True)

    def look(self, known: Mapping[str, str]) -> Found:
        """known: the media type of every id. No file is opened: 50,000 are seen in a fraction of a second."""
        found = Found()
        for entry in _entries(self.files, found.unread):
            id, _, end = entry.name.partition(".")
            if id in known and end == _DESCRIBED:
                found.described.add(id)
            elif id in known and end == extension(known[id]):
                if is_kind(entry.is_file):
                    found.present.add(id)
            elif OURS.fullmatch(entry.name) and not is_kind(entry.is_dir):
                found.unknown.append(Path(entry.path))
        return found

    def stray_thumbs(self, known: Mapping[str, str]) -> list[Path]:
        """Small pictures of what has no row."""
        strays = [entry for entry in _entries(self.thumbs, []) if entry.name.partition(".")[0] not in known]
        return [Path(entry.path) for entry in strays if OURS.fullmatch(entry.name) and not is_kind(entry.is_dir)]


def _entries(folder: Path, unread: list[Path]) -> Iterator[os.DirEntry[str]]:
    """What lies in its folders."""
    for one in scanned(folder, unread):
        if is_kind(one.is_dir):
            yield from without_leftovers(Path(one.path), unread)


def without_leftovers(folder: Path, unread: list[Path]) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder, once what is half written there has been removed."""
    for entry in scanned(folder, unread):
        if is_leftover(entry.name):
            drop(Path(entry.path))
        else:
            yield entry


def scanned(folder: Path, unread: list[Path]) -> Iterator[os.DirEntry[str]]:
    """A folder that is not there has nothing in it; one that cannot be read is noted."""
    try:
        with os.scandir(folder) as entries:
            yield from list(entries)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("%s could not be read: %s", folder, error.strerror)
        unread.append(folder)


def is_kind(ask: Callable[[], bool]) -> bool:
    """`entry.is_file` or `entry.is_dir`, where the answer may be an error: a link to itself, a disk that fails."""
    try:
        return ask()
    except OSError:
        return False


def drop(path: Path) -> None:
    """Of ours, and half written."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s could not be removed: %s", path, error.strerror)
