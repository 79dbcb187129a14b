"""Files and rows together: no row without its file, no file without its row, also after a power cut.

`files/<two digits>/<id>.<extension>` is the artifact, `thumbs/<two digits>/<id>.webp` its small picture.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from pipelines.base import Artifact
from pipelines.errors import DiskFull, NotAllowed, NotFound
from studio.durable import TEMPORARY, write_file
from studio.jobs import Job, JobStatus
from studio.keeping import checked, extension, keep, reworded, thumbnail, waveform
from studio.rows import ArtifactRow
from studio.store import Store
from studio.unwritable import ours
from studio.uploads import Kept, Uploads
from studio.zips import zipped

GONE = "The file is missing from the data folder."


class Gallery:
    """The artifacts of everybody; every question names the owner who asks."""

    def __init__(self, folder: Path, store: Store):
        self._folder, self._store = folder, store
        self.uploads = Uploads(folder / "uploads", store.needed_uploads)

    def save(self, job: Job, artifact: Artifact) -> Job:
        """The file first, then its row and the end of the job in one transaction. Returns the job, done."""
        return self.note(self.write(job, artifact), job)

    def write(self, job: Job, artifact: Artifact) -> ArtifactRow:
        """The first half: the file is there, and nobody knows of it. Raises DiskFull, Unwritable."""
        id = uuid.uuid4().hex
        request = job.request
        kept = keep(request, artifact, lambda sha: self.upload(job.owner, sha))
        row = ArtifactRow(
            id=id, owner=job.owner, job_id=job.id, kind=artifact.kind, media_type=artifact.media_type,
            width=kept.width, height=kept.height, bytes=len(kept.data), model=request.model, prompt=kept.words,
            seed=getattr(request, "seed", None), created=time.time(), hidden=getattr(request, "filmstrip", False),
            request=request.model_dump_json(), info=json.dumps(artifact.info, ensure_ascii=False),
            vector=artifact.vector,
        )  # fmt: skip
        try:
            with ours():
                write_file(self._file(id, artifact.media_type), kept.data)
                write_file(self._thumb(id), kept.thumb)
        except BaseException:
            self.discard(row)
            raise
        return row

    def note(self, row: ArtifactRow, job: Job) -> Job:
        """The other half: the row of a file that is written, and the end of its job. Raises Busy, DiskFull."""
        done = job.to(JobStatus.DONE, ended=row.created, artifact_id=row.id)
        self._store.insist(lambda: self._store.add_artifact(row, done))
        return done

    def discard(self, row: ArtifactRow) -> None:
        """A file whose row is not wanted any more."""
        self._unlink(row.id, row.media_type)

    def artifact(self, owner: str, id: str) -> ArtifactRow:
        """Raises NotFound, also for another's: nobody learns which ids exist."""
        row = self._store.artifact(id)
        if row is None or row.owner != owner:
            raise NotFound("There is no such picture.")
        return row

    def page(
        self,
        owner: str,
        before: int | None,
        limit: int,
        model: str | None = None,
        text: str = "",
        kind: str | None = None,
    ) -> list[ArtifactRow]:
        """Newest first; `before` is the number of the last row of the page before."""
        return self._store.artifacts(owner, before, limit, model, text, kind)

    def models(self, owner: str) -> list[str]:
        return self._store.models(owner)

    def file(self, owner: str, id: str) -> Path:
        row = self.artifact(owner, id)
        return self._there(self._file(row.id, row.media_type))

    def thumb(self, owner: str, id: str) -> Path:
        return self._there(self._thumb(self.artifact(owner, id).id))

    def delete(self, owner: str, id: str) -> None:
        """Row first: should we die in between, the next start removes the files. Where the disk is so full that not
        even that can be written, the files make room for it.
        """
        row = self.artifact(owner, id)
        try:
            self._store.insist(lambda: self._store.delete_artifact(id))
        except DiskFull:
            self._unlink(id, row.media_type)
            self._store.delete_artifact(id)
        self._unlink(id, row.media_type)

    def rewrite(self, owner: str, id: str, text: str) -> ArtifactRow:
        """A caption in other words. Raises NotFound, NotAllowed."""
        row = self.artifact(owner, id)
        if row.media_type != "text/plain":
            raise NotAllowed("Only a caption can be written anew.")
        data = text.encode(errors="replace")  # JSON may hold halves of characters
        text = data.decode()
        info = json.dumps(reworded(json.loads(row.info), text), ensure_ascii=False)
        with ours():
            write_file(self._file(id, row.media_type), data)
        self._store.rewrite_artifact(id, text, len(data), info)
        return self.artifact(owner, id)

    def checked(self, owner: str, id: str, told: dict) -> None:
        """How well a person's caption agrees with its picture, unless it has other words by now."""
        row = self.artifact(owner, id)
        if row.prompt == told["text"]:
            info = json.dumps(checked(json.loads(row.info), told), ensure_ascii=False)
            self._store.inform_artifact(id, row.prompt, info)

    def zip(self, owner: str, ids: Sequence[str]) -> Iterator[bytes]:
        """A zip archive in pieces, so that 200 pictures need no memory for 200. Raises NotFound before the first."""
        rows = [self.artifact(owner, id) for id in dict.fromkeys(ids)]
        return self._zipped(rows)

    def keep_upload(self, owner: str, data: bytes) -> str:
        """Store a picture and return its SHA-256; raises BadUpload."""
        return self.keep(owner, data).sha256

    def keep(self, owner: str, data: bytes) -> Kept:
        return self.uploads.keep(owner, data)

    def keep_recording(self, owner: str, data: bytes) -> str:
        """Store a recording, decoded before to see that it is one, and return its SHA-256."""
        return self.uploads.keep_recording(owner, data)

    def upload(self, owner: str, sha256: str) -> bytes:
        """The PNG of one's own start picture, or one's own recording; raises NotFound."""
        return self.uploads.read(owner, sha256)

    def recover(self) -> None:
        """At start, before anything is served: drop files without a row, and rows without their file."""
        known = self._store.artifact_types()
        files = self._swept(self._folder / "files", set(known))
        thumbs = self._swept(self._folder / "thumbs", set(known))
        for id in set(known) - files:
            self._store.delete_artifact(id, GONE)
            self._unlink(id, known[id])
        for id in files - thumbs:
            write_file(self._thumb(id), self._drawn_again(id, known[id]))
        for part in (self._folder / "uploads").glob(f"**/*{TEMPORARY}"):
            part.unlink(missing_ok=True)

    def _drawn_again(self, id: str, media_type: str) -> bytes:
        """A small picture that was lost; that of a sound is the same without its waves."""
        if not media_type.startswith("image/"):
            return thumbnail(waveform([]))
        with Image.open(self._file(id, media_type)) as image:
            return thumbnail(image)

    def _swept(self, folder: Path, known: set[str]) -> set[str]:
        there = set()
        for file in folder.glob("*/*"):
            if file.suffix != TEMPORARY and file.stem in known:
                there.add(file.stem)
            else:
                file.unlink(missing_ok=True)
        return there

    def _zipped(self, rows: Sequence[ArtifactRow]) -> Iterator[bytes]:
        yield from zipped((file_name(row), self._there(self._file(row.id, row.media_type)).read_bytes) for row in rows)

    def _file(self, id: str, media_type: str) -> Path:
        return self._folder / "files" / id[:2] / f"{id}.{extension(media_type)}"

    def _thumb(self, id: str) -> Path:
        return self._folder / "thumbs" / id[:2] / f"{id}.webp"

    def _unlink(self, id: str, media_type: str) -> None:
        for path in (self._file(id, media_type), self._thumb(id)):
            path.unlink(missing_ok=True)

    @staticmethod
    def _there(path: Path) -> Path:
        if not path.exists():
            raise NotFound(GONE)
        return path


def file_name(row: ArtifactRow) -> str:
    """What a saved file is called."""
    return f"triptych-{row.id[:8] if row.seed is None else f'{row.seed}-{row.id[:8]}'}.{extension(row.media_type)}"
