"""Batches of pictures to describe: what comes in, how far it is, changes to the words, and what is taken away."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Body, Form, Path, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse, StreamingResponse

from pipelines import requests
from pipelines.errors import NotAllowed
from pipelines.requests import CaptionRequest
from studio import limits
from studio.batches import export as batch_export
from studio.batches.edits import Edit
from studio.batches.service import ANY_PICTURE
from studio.batches.views import batch_view, item_view
from studio.formats import sidecars
from studio.web.answers import while_there
from studio.web.context import Here, Owner, Studio
from studio.web.uploading import UploadRoute

router = APIRouter(tags=["captions"])
_PICTURE, _ZIP = (most + limits.MULTIPART_EXTRA_BYTES for most in (limits.UPLOAD_BYTES, limits.ZIP_BYTES))
pictures = APIRouter(tags=["captions"], max_body_size=_PICTURE, route_class=UploadRoute)
archives = APIRouter(tags=["captions"], max_body_size=_ZIP, route_class=UploadRoute)

_KEEP = {"Cache-Control": "private, max-age=31536000, immutable"}
_SETTINGS = {name for name in CaptionRequest.model_fields if name not in ("picture", "batch", "name", "kind")}
_WORDS = [name for name in CaptionRequest.model_fields if name in _SETTINGS]
Number = Annotated[int, Path(ge=1, lt=2**63)]
Numbers = Annotated[list[Annotated[int, Field(ge=1, lt=2**63)]], Field(max_length=limits.BATCH_PICTURES)]
Groups = Annotated[list[Numbers], Body(embed=True, max_length=limits.BATCH_PICTURES)]
Text = Annotated[str, Body(embed=True, max_length=limits.CAPTION_CHARACTERS)]


class Run(BaseModel):
    """settings: fields of a CaptionRequest but the picture's; none: those of the last run. again: also the pictures
    that have a caption. numbers: of the pictures, instead.
    """

    model_config = ConfigDict(extra="forbid")

    settings: dict | None = Field(None, description=", ".join(_WORDS))
    again: bool = False
    numbers: Annotated[list[int], Field(max_length=limits.BATCH_PICTURES)] | None = None


@router.post("/api/batches", status_code=201)
def create(studio: Here, owner: Owner, name: Annotated[str, Body(embed=True, max_length=300)] = "") -> dict:
    """An empty batch; pictures, captions and archives are sent to it one by one."""
    return _view(studio, studio.batches.create(owner, name).id, owner)


@router.get("/api/batches")
def batches(studio: Here, owner: Owner) -> dict:
    """One's own, newest first."""
    return {"batches": [batch_view(studio.batches.rows, batch) for batch in studio.batches.rows.of(owner)]}


@router.get("/api/batches/{id}")
def batch(studio: Here, owner: Owner, id: str) -> dict:
    return _view(studio, id, owner)


@router.delete("/api/batches/{id}", status_code=204, response_class=Response)
def delete(studio: Here, owner: Owner, id: str) -> None:
    """The batch and its pictures; the captions stay in the gallery."""
    studio.batches.delete(owner, id)


@pictures.post("/api/batches/{id}/files", status_code=201)
def add(
    studio: Here, owner: Owner, id: str, file: UploadFile, name: Annotated[str, Form(max_length=4096)] = ""
) -> dict:  # fmt: skip
    """A picture, or a .txt file with the caption of the picture of the same stem. A file that is neither is kept as an
    item with its error, so that it is seen where it belongs. name: with its folders; default: the file's own.
    """
    item = studio.batches.add(owner, id, name or file.filename or "", file.file.read())
    return {"item": item_view(item) if item else None}


@archives.post("/api/batches/{id}/zip", status_code=201)
def add_zip(studio: Here, owner: Owner, id: str, file: UploadFile) -> dict:
    """Every picture and .txt file of a zip archive. `files`: how many were looked at."""
    files = studio.batches.add_zip(owner, id, file.file)
    return {"files": files, **_view(studio, id, owner)}


@router.post("/api/batches/{id}/run")
def run(studio: Here, owner: Owner, id: str, body: Run) -> dict:
    """Describe the pictures that have no caption yet."""
    settings = None
    if body.settings is not None:
        settings = requests.make("caption", **{**body.settings, "picture": ANY_PICTURE, "batch": "", "name": ""})
    studio.batches.run(owner, id, settings, body.again, body.numbers)
    return _view(studio, id, owner)


@router.post("/api/batches/{id}/cancel")
def cancel(studio: Here, owner: Owner, id: str) -> dict:
    """Stop; what is described stays, and `run` without settings goes on."""
    studio.batches.cancel(owner, id)
    return _view(studio, id, owner)


@router.get("/api/batches/{id}/items")
def items(
    studio: Here,
    owner: Owner,
    id: str,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=limits.MAX_PAGE_SIZE)] = limits.PAGE_SIZE,
    order: Literal["place", "name", "agreement", "state"] = "place",
    which: Literal["all", "bad", "doubtful", "missing", "edited"] = "all",
    text: Annotated[str, Query(max_length=1000)] = "",
) -> dict:
    """A page of its pictures. `found`: how many there are in all pages."""
    batch = studio.batches.get(owner, id)
    doubtful = studio.batches.limits.doubtful
    page, found = studio.batches.rows.page(batch.id, offset, limit, order, which, text, doubtful)
    return {"items": [item_view(item) for item in page], "found": found}


@router.patch("/api/batches/{id}/items/{number}")
def write(studio: Here, owner: Owner, id: str, number: Number, text: Text) -> dict:
    """The caption of one picture in a person's words; it can be undone."""
    studio.batches.item(owner, id, number)
    studio.batches.write(owner, id, {number: text})
    return {"item": item_view(studio.batches.item(owner, id, number)), **_view(studio, id, owner)}


@router.post("/api/batches/{id}/edit")
def edit(studio: Here, owner: Owner, id: str, change: Edit) -> dict:
    """The same change to every caption of the batch. `changed`: how many it has changed."""
    changed = studio.batches.edit(owner, id, change)
    return {"changed": changed, **_view(studio, id, owner)}


@router.post("/api/batches/{id}/undo")
def undo(studio: Here, owner: Owner, id: str) -> dict:
    """Take back the last change of words. `changed`: of how many captions."""
    changed = studio.batches.undo(owner, id)
    return {"changed": changed, **_view(studio, id, owner)}


@router.post("/api/batches/{id}/alike")
async def alike(http: Request, studio: Here, owner: Owner, id: str) -> dict:
    """Near-duplicates. Each call looks at a few more pictures; `groups` (numbers) are there when all are `seen`."""
    batch = await asyncio.to_thread(studio.batches.get, owner, id)
    return await while_there(http, studio.batches.alike.look(owner, batch.id))


@router.post("/api/batches/{id}/leave")
def leave(studio: Here, owner: Owner, id: str, groups: Groups) -> dict:
    """Of each group the first picture stays in the batch, the others are left out. `changed`: how many."""
    changed = studio.batches.leave(owner, id, groups)
    return {"changed": changed, **_view(studio, id, owner)}


@router.post("/api/batches/{id}/back")
def back(studio: Here, owner: Owner, id: str, numbers: Annotated[Numbers, Body(embed=True)]) -> dict:
    """Pictures that were left out are in the batch again. `changed`: how many."""
    changed = studio.batches.alike.back(studio.batches.get(owner, id).id, numbers)
    return {"changed": changed, **_view(studio, id, owner)}


@router.get("/api/batches/{id}/export")
def export(
    studio: Here, owner: Owner, id: str, form: batch_export.Form = batch_export.Form.TXT, pictures: bool = True
) -> StreamingResponse:  # fmt: skip
    """The captions, with their pictures or alone, as a zip archive."""
    batch = studio.batches.get(owner, id)
    ready = studio.batches.rows.described(id)
    if not ready:
        raise NotAllowed("No picture of this batch has a caption yet.")
    original = (lambda item: studio.batches.files.original(owner, id, item.picture, item.format)) if pictures else None
    name = quote(sidecars.safe_name(batch.name or "captions"))
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}.zip", "Cache-Control": "no-store"}
    return StreamingResponse(
        batch_export.exported(ready, form, original), media_type="application/zip", headers=headers
    )


@router.get("/batches/{id}/{number}/thumb")
def thumb(studio: Here, owner: Owner, id: str, number: Number) -> FileResponse:
    item = studio.batches.item(owner, id, number)
    return FileResponse(studio.batches.files.thumb(owner, id, item.picture), media_type="image/webp", headers=_KEEP)


@router.get("/batches/{id}/{number}/picture")
def picture(studio: Here, owner: Owner, id: str, number: Number) -> Response:
    """The picture as models see it."""
    item = studio.batches.item(owner, id, number)
    return Response(studio.gallery.upload(owner, item.picture), media_type="image/png", headers=_KEEP)


def _view(studio: Studio, id: str, owner: str) -> dict:
    return {"batch": batch_view(studio.batches.rows, studio.batches.get(owner, id))}


router.include_router(pictures)
router.include_router(archives)
