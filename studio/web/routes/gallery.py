"""Finished pictures: lists, files, thumbnails, deletion, and several as one zip archive."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response
from starlette.responses import FileResponse, StreamingResponse

from pipelines.errors import InvalidRequest
from pipelines.requests import SHOWN, ImageRequest, shown
from studio import limits
from studio.formats.metadata.metadata import parameters_text
from studio.jobs.views import shown_info
from studio.storage.gallery import file_name
from studio.storage.records import ArtifactRow
from studio.web.context import Here, Owner, Studio

router = APIRouter(tags=["gallery"])
# An id is never given to another file, so browsers need not ask again; but no cache of others may keep it
_KEEP = {"Cache-Control": "private, max-age=31536000, immutable"}
SECONDS = 5.0  # that whoever has changed a caption waits for its check
_ASK = {"Cache-Control": "private, no-cache"}  # words may be changed


@router.get("/files/{id}")
def file(studio: Here, owner: Owner, id: str) -> FileResponse:
    row = studio.gallery.artifact(owner, id)
    keep = _ASK if row.media_type == "text/plain" else _KEEP
    return _sent(studio.gallery.file(owner, id), row.media_type, file_name(row), keep)


@router.get("/thumbs/{id}")
def thumb(studio: Here, owner: Owner, id: str) -> FileResponse:
    return _sent(studio.gallery.thumb(owner, id), "image/webp", f"{id[:8]}.webp")


@router.get("/api/gallery")
def page(
    studio: Here,
    owner: Owner,
    before: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
    limit: Annotated[int, Query(ge=1, le=limits.MAX_PAGE_SIZE)] = limits.PAGE_SIZE,
    model: str = "",
    text: Annotated[str, Query(max_length=1000)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
) -> dict:
    """Newest first. `next` is the `before` of the following page, null at the end."""
    rows = studio.gallery.page(owner, before, limit + 1, model, text, kind)
    more = len(rows) > limit
    return {"items": [seen(studio, row) for row in rows[:limit]], "next": rows[limit - 1].number if more else None}


@router.get("/api/gallery.zip")
def zipped(studio: Here, owner: Owner, ids: str) -> StreamingResponse:
    """`ids`: separated by commas."""
    wanted = [id for id in ids.split(",") if id]
    if not 1 <= len(wanted) <= limits.ZIP_PICTURES:
        raise InvalidRequest("ids", len(wanted), f"1 to {limits.ZIP_PICTURES} pictures")
    headers = {"Content-Disposition": 'attachment; filename="triptych.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(studio.gallery.zip(owner, wanted), media_type="application/zip", headers=headers)


@router.get("/api/gallery/{id}")
def picture(studio: Here, owner: Owner, id: str) -> dict:
    """One picture with all that is known about it."""
    row = studio.gallery.artifact(owner, id)
    return {**seen(studio, row), "words": row.prompt, "info": json.loads(row.info), "parameters": _parameters(row)}


@router.patch("/api/gallery/{id}")
async def rewrite(
    studio: Here, owner: Owner, id: str, text: Annotated[str, Body(embed=True, max_length=limits.CAPTION_CHARACTERS)]
) -> dict:
    """A caption in other words: its file and what it is found by change."""
    await asyncio.to_thread(_reworded, studio, owner, id, text)
    await studio.batches.checks.caption(owner, id, SECONDS)
    return await asyncio.to_thread(_renewed, studio, owner, id)


def _reworded(studio: Studio, owner: str, id: str, text: str) -> None:
    row = studio.gallery.rewrite(owner, id, text)
    studio.batches.heard(owner, id, row.prompt)


def _renewed(studio: Studio, owner: str, id: str) -> dict:
    studio.engine.renew(owner, id)
    row = studio.gallery.artifact(owner, id)
    return {**view(row), "info": json.loads(row.info)}


@router.delete("/api/gallery/{id}", status_code=204, response_class=Response)
def delete(studio: Here, owner: Owner, id: str) -> None:
    row = studio.gallery.artifact(owner, id)
    studio.gallery.delete(owner, id)
    studio.engine.forget(owner, row.job_id)


@router.post("/api/gallery/delete")
def delete_all(
    studio: Here, owner: Owner, ids: Annotated[list[str], Body(embed=True, max_length=limits.DELETED_AT_ONCE)]
) -> dict:
    """All of them that are one's own, or none where that fails. Answers how many; unknown ids are no error."""
    gone = studio.gallery.delete_all(owner, ids)
    studio.engine.forget(owner, *gone.values())
    return {"deleted": len(gone)}


def seen(studio: Studio, row: ArtifactRow) -> dict:
    """A picture as JSON, and whether its file is there. missing: the rest is known, and it may come back."""
    return {**view(row), "missing": studio.gallery.missing(row)}


def view(row: ArtifactRow) -> dict:
    """A picture as JSON; created: seconds since the epoch, bytes: size of the file."""
    return {
        "id": row.id,
        "job": row.job_id,
        "kind": row.kind,
        "width": row.width,
        "height": row.height,
        "bytes": row.bytes,
        "seed": row.seed,
        "model": row.model,
        "prompt": row.prompt[:SHOWN],
        "media_type": row.media_type,
        "created": row.created,
        "request": shown(json.loads(row.request)),
        "info": shown_info(json.loads(row.info)),
        "url": f"/files/{row.id}",
        "thumb": f"/thumbs/{row.id}",
    }


def _parameters(row: ArtifactRow) -> str:
    """The settings as other programs read them; only pictures have such a text."""
    request = row.made_from()
    return parameters_text(request) if isinstance(request, ImageRequest) else ""


def _sent(path: Path, media_type: str, name: str, keep: dict[str, str] = _KEEP) -> FileResponse:
    return FileResponse(path, media_type=media_type, filename=name, headers=keep, content_disposition_type="inline")
