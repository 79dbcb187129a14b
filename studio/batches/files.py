"""The pictures of batches as they came, and small ones of them: `batches/<owner>/<batch>/<sha256>.<format>`.

What models see of them is with the other uploads (`studio.storage.uploads`), in a folder of the batch's own.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import NotFound
from studio import limits
from studio.formats.preparing import Prepared, prepare
from studio.formats.zip_stream import GONE
from studio.storage.atomic import write_file
from studio.storage.uploads import Uploads, folder_of

EXTENSIONS = {"png": "png", "jpeg": "jpg", "webp": "webp", "gif": "gif", "bmp": "bmp", "mpo": "jpg"}
SMALL = ".thumb"


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture of a batch; size in pixels as it came, upright."""

    picture: str
    format: str
    width: int
    height: int
    bytes: int
    notes: str


class BatchFiles:
    def __init__(self, folder: Path, uploads: Uploads):
        self._folder, self._uploads = folder, uploads

    def keep(self, owner: str, batch: str, data: bytes) -> Stored:
        """Decoded, checked and stored three ways: as it came, for models, and small. Raises BadUpload."""
        made = Prepared(**self._uploads.apart(prepare, data, limits.BATCH_SIDE, True))
        picture = self._uploads.keep_png(owner, batch, made.sha256, made.png)
        folder = self._of(owner, batch)
        write_file(folder / f"{picture}.{made.format}", data)
        write_file(folder / f"{picture}{SMALL}", made.small)
        return Stored(picture, made.format, made.width, made.height, len(data), " ".join(made.notes))

    def original(self, owner: str, batch: str, picture: str, kind: str) -> Path:
        return self._there(self._of(owner, batch) / f"{picture}.{kind}")

    def thumb(self, owner: str, batch: str, picture: str) -> Path:
        return self._there(self._of(owner, batch) / f"{picture}{SMALL}")

    def drop(self, owner: str, batch: str) -> None:
        shutil.rmtree(self._of(owner, batch), ignore_errors=True)
        self._uploads.drop_group(owner, batch)

    def _of(self, owner: str, batch: str) -> Path:
        return self._folder / folder_of(owner) / batch

    @staticmethod
    def _there(path: Path) -> Path:
        if not path.exists():
            raise NotFound(GONE)
        return path
