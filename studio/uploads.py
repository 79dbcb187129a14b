"""Start pictures, kept by owner and content: `uploads/<owner>/<sha256>.png`, normalised to plain RGB PNG."""

from __future__ import annotations

import hashlib
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import NotFound
from studio import limits
from studio.durable import write_file
from studio.pictures import decode, fitted


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored start picture: its name in requests, its size in pixels, and what had to be changed, as sentences."""

    sha256: str
    width: int
    height: int
    notes: list[str]


class Uploads:
    """One folder of start pictures; nobody reads another's, even knowing the hash."""

    def __init__(self, folder: Path):
        self._folder = folder

    def keep(self, owner: str, data: bytes) -> Kept:
        """Decode, normalise and store; the same picture twice is one file. Raises BadUpload."""
        decoded = decode(data)
        image = fitted(decoded.image, limits.UPLOAD_SIDE)
        encoded = io.BytesIO()
        image.save(encoded, "PNG", compress_level=3)
        name = hashlib.sha256(image.tobytes() + repr(image.size).encode()).hexdigest()
        path = self._path(owner, name)
        if path.exists():
            os.utime(path)
        else:
            write_file(path, encoded.getvalue())
            self._drop_oldest(path.parent)
        return Kept(name, *image.size, decoded.notes)

    def read(self, owner: str, sha256: str) -> bytes:
        """The PNG; raises NotFound."""
        if re.fullmatch(r"[0-9a-f]{64}", sha256):
            try:
                return self._path(owner, sha256).read_bytes()
            except FileNotFoundError:
                pass
        raise NotFound("The start picture is not here any more: drop it in once more.")

    def _path(self, owner: str, name: str) -> Path:
        # an owner may be a user's name, which need not be a good file name
        return self._folder / hashlib.sha256(owner.encode()).hexdigest()[:32] / f"{name}.png"

    def _drop_oldest(self, folder: Path) -> None:
        files = sorted(folder.glob("*.png"), key=lambda file: file.stat().st_mtime)
        for file in files[: -limits.UPLOADS_PER_OWNER]:
            file.unlink(missing_ok=True)
