"""Files and rows together: what is written is whole, described beside itself, and found again after a power cut."""

from __future__ import annotations

import io
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from PIL import Image

from pipelines.base import Artifact
from pipelines.errors import DiskFull, NotAllowed, NotFound, Unwritable
from pipelines.requests import CaptionRequest
from studio.formats.isolation import directly
from studio.formats.pictures import thumbnail
from studio.formats.zip_stream import GONE, zipped
from studio.storage.artifact_files import ArtifactFiles
from studio.storage.artifacts import checked, extension, keep, reworded, waveform
from studio.storage.atomic import write_file
from studio.storage.records import ArtifactRow, Job, JobStatus
from studio.storage.recovery.lost_and_found import LostAndFound
from studio.storage.recovery.recovery import Recovery, Report
from studio.storage.recovery.rows import RecoveryRows
from studio.storage.store import Store
from studio.storage.unwritable import ours
from studio.storage.uploads import KeptUpload, Uploads

DAMAGED = "The small picture is missing, and none can be made: the file is damaged."
log = logging.getLogger(__name__)


class Gallery:
    """The artifacts of everybody; every question names the owner who asks."""

    def __init__(self, folder: Path, store: Store, apart: Callable = directly):
        """apart: what opens uploaded files (`studio.formats.isolation`)."""
        self._folder, self._store, self._files = folder, store, ArtifactFiles(folder)
        self.uploads = Uploads(folder / "uploads", store.needed_uploads, apart)
        self._gone: set[str] = set()  # deleted, but their rows wait for room

    def save(self, job: Job, artifact: Artifact) -> Job:
        """The file first, what is known of it beside it, then its row and the end of the job in one transaction.
        Returns the job, done.
        """
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
                self._files.describe(row)  # before the file: one that is there can always be understood
                write_file(self._files.file(id, artifact.media_type), kept.data)
                write_file(self._files.thumb(id), kept.thumb)
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
        self._files.unlink(row.id)

    def artifact(self, owner: str, id: str) -> ArtifactRow:
        """Raises NotFound, also for another's: nobody learns which ids exist."""
        row = self._store.artifact(id)
        if row is None or row.owner != owner or id in self._gone:
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
        rows = self._store.artifacts(owner, before, limit, model, text, kind)
        return [row for row in rows if row.id not in self._gone]

    def file(self, owner: str, id: str) -> Path:
        """Raises NotFound, also where it cannot be read."""
        row = self.artifact(owner, id)
        return self._readable(self._files.file(row.id, row.media_type))

    def thumb(self, owner: str, id: str) -> Path:
        """Drawn again where it is not there. Raises NotFound."""
        row = self.artifact(owner, id)
        path = self._files.thumb(id)
        if not path.is_file():
            write_file(path, self._drawn_again(row))
        return self._readable(path)

    def missing(self, row: ArtifactRow) -> bool:
        """Whether its file is not in the data folder; it comes back when its file does."""
        return not self._files.file(row.id, row.media_type).is_file()

    def delete(self, owner: str, id: str) -> None:
        """Raises NotFound."""
        self.artifact(owner, id)
        self.delete_all(owner, [id])

    def delete_all(self, owner: str, ids: Iterable[str]) -> dict[str, str]:
        """Those of them that are the owner's, all or none; returns which, each with its job.

        Rows first: should we die in between, the next start removes the files, as the rows are noted as deleted. Where
        the disk is so full that not even that can be written, the files make room for it, and if that is too little,
        the rows go later.
        """
        # all ids are ASCII, and JSON may hold halves of characters
        ids = [id for id in dict.fromkeys(ids) if id.isascii() and id not in self._gone]
        try:
            gone = self._store.insist(lambda: self._store.delete_artifacts(owner, ids))
        except DiskFull:
            gone = self._delete_files_first(owner, ids)
        self._remove(gone)
        return gone

    def _remove(self, ids: Iterable[str]) -> None:
        """The files of deleted ones; one that cannot be removed keeps no other from it."""
        for id in ids:
            try:
                self._files.unlink(id)
            except OSError as error:
                log.warning("The files of %s, which is deleted, are tried again at the next start: %s", id, error)

    def _delete_files_first(self, owner: str, ids: Sequence[str]) -> dict[str, str]:
        """Until their rows can go, too, they are not shown."""
        gone = self._store.owned(owner, ids)
        self._remove(gone)
        try:
            self._store.delete_artifacts(owner, list(gone))
        except Unwritable as why:
            self._gone |= gone.keys()
            self._store.late.add(f"delete {ids[0]}", lambda: self._store.delete_artifacts(owner, list(gone)), why)
        return gone

    def rewrite(self, owner: str, id: str, text: str) -> ArtifactRow:
        """A caption in other words. Raises NotFound, NotAllowed."""
        row = self.artifact(owner, id)
        if row.media_type != "text/plain":
            raise NotAllowed("Only a caption can be written anew.")
        data = text.encode(errors="replace")  # JSON may hold halves of characters
        text = data.decode()
        info = json.dumps(reworded(json.loads(row.info), text), ensure_ascii=False)
        with ours():
            write_file(self._files.file(id, row.media_type), data)
        self._store.rewrite_artifact(id, text, len(data), info)
        self.describe(id)
        return self.artifact(owner, id)

    def checked(self, owner: str, id: str, told: dict) -> None:
        """How well a person's caption agrees with its picture, unless it has other words by now."""
        row = self.artifact(owner, id)
        if row.prompt == told["text"]:
            info = json.dumps(checked(json.loads(row.info), told), ensure_ascii=False)
            self._store.inform_artifact(id, row.prompt, info)
            self.describe(id)

    def zip(self, owner: str, ids: Sequence[str]) -> Iterator[bytes]:
        """A zip archive in pieces, so that 200 pictures need no memory for 200. A file that is missing is left out,
        with a note. Raises NotFound before the first piece, also where no file is there at all.
        """
        rows = [self.artifact(owner, id) for id in dict.fromkeys(ids)]
        if all(map(self.missing, rows)):
            raise NotFound(GONE)
        return zipped((file_name(row), self._files.file(row.id, row.media_type).read_bytes) for row in rows)

    def keep_upload(self, owner: str, data: bytes) -> str:
        """Store a picture and return its SHA-256; raises BadUpload."""
        return self.keep(owner, data).sha256

    def keep(self, owner: str, data: bytes) -> KeptUpload:
        return self.uploads.keep(owner, data)

    def keep_recording(self, owner: str, data: bytes) -> str:
        """Store a recording, decoded before to see that it is one, and return its SHA-256."""
        return self.uploads.keep_recording(owner, data)

    def upload(self, owner: str, sha256: str) -> bytes:
        """The PNG of one's own start picture, or one's own recording; raises NotFound."""
        return self.uploads.read(owner, sha256)

    def recover(self, owner: str | None = None, allow_missing: bool = False) -> Report:
        """At start, before anything is served: see `Recovery`. Raises CannotStart."""
        lost = LostAndFound(self._folder)
        return Recovery(self._files, RecoveryRows(self._store), lost, owner).run(allow_missing)

    def describe(self, id: str) -> bool:
        """Write what is known of an artifact beside it; where that cannot be, what was known before stays there."""
        try:
            if row := self._store.artifact(id):
                self._files.describe(row)
        except OSError as error:
            log.warning("What is known of %s could not be written beside it: %s", id, error)
            return False
        return True

    def _drawn_again(self, row: ArtifactRow) -> bytes:
        """A small picture that was lost. Raises NotFound where there is nothing to draw it from."""
        try:
            if row.kind == "speech":
                return thumbnail(waveform(json.loads(row.info).get("peaks", [])))
            with Image.open(self._shown(row)) as image:
                return thumbnail(image)
        except NotFound:
            raise
        except Exception as error:  # what can be wrong with a damaged picture has no end
            log.warning("No small picture of %s could be made: %s", row.id, error)
            raise NotFound(DAMAGED) from error

    def _shown(self, row: ArtifactRow) -> Path | io.BytesIO:
        """A picture itself, or the one that a caption describes."""
        request = row.made_from()
        if isinstance(request, CaptionRequest):
            return io.BytesIO(self.upload(row.owner, request.picture))
        return self._readable(self._files.file(row.id, row.media_type))

    @staticmethod
    def _readable(path: Path) -> Path:
        try:
            path.open("rb").close()
        except OSError as error:
            raise NotFound(GONE) from error
        return path


def file_name(row: ArtifactRow) -> str:
    """What a saved file is called."""
    return f"triptych-{row.id[:8] if row.seed is None else f'{row.seed}-{row.id[:8]}'}.{extension(row.media_type)}"
