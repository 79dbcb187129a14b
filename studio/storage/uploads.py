"""What people have uploaded, kept by owner and content: `uploads/<owner>/<sha256>.png` is a picture, normalised to
plain RGB PNG, `….sound` a recording as it came.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pipelines.errors import NotFound
from studio import limits
from studio.formats.isolation import directly
from studio.formats.preparing import Prepared, named, prepare
from studio.storage.atomic import write_file

PICTURE, RECORDING = ".png", ".sound"


@dataclass(frozen=True, slots=True)
class KeptUpload:
    """A stored start picture: its name in requests, its size in pixels, and what had to be changed, as sentences."""

    sha256: str
    width: int
    height: int
    notes: list[str]


class Uploads:
    """One folder of uploads; nobody reads another's, even knowing the hash."""

    def __init__(self, folder: Path, needed: Callable[[str], set[str]] = lambda owner: set(), apart=directly):
        """needed: names of an owner's files that are not to be dropped, as unfinished jobs will read them. apart: what
        opens files (`studio.formats.isolation`)."""
        self._folder, self._needed, self.apart = folder, needed, apart

    def keep(self, owner: str, data: bytes) -> KeptUpload:
        """Decode, normalise and store; the same picture twice is one file. Raises BadUpload."""
        made = Prepared(**self.apart(prepare, data, limits.UPLOAD_SIDE))
        path = self._path(owner, made.sha256)
        if path.exists():
            os.utime(path)
        else:
            write_file(path, made.png)
            self._drop_oldest(owner, PICTURE, limits.UPLOADS_PER_OWNER)
        return KeptUpload(made.sha256, *made.kept, made.notes + _smaller((made.width, made.height), made.kept))

    def keep_in(self, owner: str, group: str, image: Image.Image) -> str:
        """A picture of a batch: it stays until the whole group is dropped. Returns its SHA-256."""
        return self.keep_png(owner, group, *named(image))

    def keep_png(self, owner: str, group: str, name: str, encoded: bytes) -> str:
        """The same, of one that is a PNG already; name: its SHA-256."""
        path = self._path(owner, group).with_suffix("") / f"{name}{PICTURE}"
        if not path.exists():
            write_file(path, encoded)
        return name

    def drop_group(self, owner: str, group: str) -> None:
        shutil.rmtree(self._path(owner, group).with_suffix(""), ignore_errors=True)

    def keep_recording(self, owner: str, data: bytes) -> str:
        """Store it as it came (it was decoded before, so it is one), and return its SHA-256."""
        name = hashlib.sha256(data).hexdigest()
        path = self._path(owner, name, RECORDING)
        if path.exists():
            os.utime(path)
        else:
            write_file(path, data)
            self._drop_oldest(owner, RECORDING, limits.RECORDINGS_PER_OWNER)
        return name

    def read(self, owner: str, sha256: str) -> bytes:
        """The PNG, or the recording; raises NotFound."""
        if re.fullmatch(r"[0-9a-f]{64}", sha256):
            for suffix in (PICTURE, RECORDING):
                try:
                    return self._path(owner, sha256, suffix).read_bytes()
                except FileNotFoundError:
                    continue
            for path in self._path(owner, sha256).parent.glob(f"*/{sha256}{PICTURE}"):
                with suppress(FileNotFoundError):  # its batch is being deleted
                    return path.read_bytes()
        raise NotFound("The start picture is not here any more: drop it in once more.")

    def _path(self, owner: str, name: str, suffix: str = PICTURE) -> Path:
        return self._folder / folder_of(owner) / f"{name}{suffix}"

    def _drop_oldest(self, owner: str, suffix: str, most: int) -> None:
        files = sorted(self._path(owner, "").parent.glob(f"*{suffix}"), key=_age)
        needed = self._needed(owner) if len(files) > most else set()
        for file in files[:-most]:
            if file.stem not in needed:
                file.unlink(missing_ok=True)


def folder_of(owner: str) -> str:
    """An owner may be a user's name, which need not be a good file name."""
    return hashlib.sha256(owner.encode(errors="surrogatepass")).hexdigest()[:32]


def _smaller(before: Sequence[int], after: Sequence[int]) -> list[str]:
    (width, height), (less, lower) = before, after
    if (width, height) == (less, lower):
        return []
    return [f"The picture was made smaller: from {width} × {height} to {less} × {lower} pixels."]


def _age(file: Path) -> float:
    """Another thread may drop it at this moment."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0
