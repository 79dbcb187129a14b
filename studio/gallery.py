"""Files and rows together: no row without its file, no file without its row, also after a power cut.

`files/<two digits>/<id>.png` is the artifact, `thumbs/<two digits>/<id>.webp` its small picture.
"""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from pipelines.base import Artifact
from pipelines.errors import NotFound
from studio import limits, metadata
from studio.durable import TEMPORARY, write_file
from studio.jobs import Job, JobStatus
from studio.pictures import fitted
from studio.store import ArtifactRow, Store
from studio.uploads import Kept, Uploads

GONE = "The picture's file is missing from the data folder."


class Gallery:
    """The artifacts of everybody; every question names the owner who asks."""

    def __init__(self, folder: Path, store: Store):
        self._folder, self._store = folder, store
        self._uploads = Uploads(folder / "uploads")

    def save(self, job: Job, artifact: Artifact) -> Job:
        """The file first, then its row and the end of the job in one transaction. Returns the job, done."""
        id = uuid.uuid4().hex
        data = metadata.write(artifact.data, job.request, artifact.info)
        image = Image.open(io.BytesIO(artifact.data))
        thumb = thumbnail(image)
        write_file(self._file(id), data)
        write_file(self._thumb(id), thumb)
        now = time.time()
        done = job.to(JobStatus.DONE, ended=now, artifact_id=id)
        request = job.request
        row = ArtifactRow(
            id=id, owner=job.owner, job_id=job.id, kind=artifact.kind, media_type=artifact.media_type,
            width=image.width, height=image.height, bytes=len(data), model=request.model, prompt=request.prompt,
            seed=request.seed, created=now, hidden=request.filmstrip, request=request.model_dump_json(),
            info=json.dumps(artifact.info, ensure_ascii=False),
        )  # fmt: skip
        self._store.add_artifact(row, done)
        return done

    def artifact(self, owner: str, id: str) -> ArtifactRow:
        """Raises NotFound, also for another's: nobody learns which ids exist."""
        row = self._store.artifact(id)
        if row is None or row.owner != owner:
            raise NotFound("There is no such picture.")
        return row

    def page(
        self, owner: str, before: int | None, limit: int, model: str | None = None, text: str = ""
    ) -> list[ArtifactRow]:
        """Newest first; `before` is the number of the last row of the page before."""
        return self._store.artifacts(owner, before, limit, model, text)

    def models(self, owner: str) -> list[str]:
        return self._store.models(owner)

    def file(self, owner: str, id: str) -> Path:
        return self._there(self._file(self.artifact(owner, id).id))

    def thumb(self, owner: str, id: str) -> Path:
        return self._there(self._thumb(self.artifact(owner, id).id))

    def delete(self, owner: str, id: str) -> None:
        """Row first: should we die in between, the next start removes the files."""
        self._store.delete_artifact(self.artifact(owner, id).id)
        self._unlink(id)

    def zip(self, owner: str, ids: Sequence[str]) -> Iterator[bytes]:
        """A zip archive in pieces, so that 200 pictures need no memory for 200. Raises NotFound before the first."""
        rows = [self.artifact(owner, id) for id in dict.fromkeys(ids)]
        return self._zipped(rows)

    def keep_upload(self, owner: str, data: bytes) -> str:
        """Store a start picture and return its SHA-256; raises BadUpload."""
        return self.keep(owner, data).sha256

    def keep(self, owner: str, data: bytes) -> Kept:
        return self._uploads.keep(owner, data)

    def upload(self, owner: str, sha256: str) -> bytes:
        """The PNG of one's own start picture; raises NotFound."""
        return self._uploads.read(owner, sha256)

    def recover(self) -> None:
        """At start, before anything is served: drop files without a row, and rows without their file."""
        known = self._store.artifact_ids()
        files = self._swept(self._folder / "files", known)
        thumbs = self._swept(self._folder / "thumbs", known)
        for id in known - files:
            self._store.delete_artifact(id, GONE)
            self._unlink(id)
        for id in (known & files) - thumbs:
            with Image.open(self._file(id)) as image:
                write_file(self._thumb(id), thumbnail(image))
        for part in (self._folder / "uploads").glob(f"*/*{TEMPORARY}"):
            part.unlink(missing_ok=True)

    def _swept(self, folder: Path, known: set[str]) -> set[str]:
        there = set()
        for file in folder.glob("*/*"):
            if file.suffix != TEMPORARY and file.stem in known:
                there.add(file.stem)
            else:
                file.unlink(missing_ok=True)
        return there

    def _zipped(self, rows: Sequence[ArtifactRow]) -> Iterator[bytes]:
        pieces = _Pieces()
        with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as archive:  # PNG is packed already
            for row in rows:
                archive.writestr(f"triptych-{row.seed}-{row.id[:8]}.png", self._there(self._file(row.id)).read_bytes())
                yield pieces.take()
        yield pieces.take()

    def _file(self, id: str) -> Path:
        return self._folder / "files" / id[:2] / f"{id}.png"

    def _thumb(self, id: str) -> Path:
        return self._folder / "thumbs" / id[:2] / f"{id}.webp"

    def _unlink(self, id: str) -> None:
        for path in (self._file(id), self._thumb(id)):
            path.unlink(missing_ok=True)

    @staticmethod
    def _there(path: Path) -> Path:
        if not path.exists():
            raise NotFound(GONE)
        return path


def thumbnail(image: Image.Image) -> bytes:
    """A WebP of at most `limits.THUMB_BYTES`: first less quality, then fewer pixels."""
    side = limits.THUMB_SIDE
    while True:
        small = fitted(image.convert("RGB"), side)
        for quality in (82, 60, 40):
            encoded = io.BytesIO()
            small.save(encoded, "WEBP", quality=quality)
            if encoded.tell() <= limits.THUMB_BYTES:
                return encoded.getvalue()
        side = side * 3 // 4


class _Pieces(io.RawIOBase):
    """What zipfile writes, to be taken away piece by piece; it cannot seek, and zipfile copes."""

    def __init__(self):
        self._data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data
