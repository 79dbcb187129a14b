"""What comes in as a file: start pictures, and pictures whose settings are to be read."""

from __future__ import annotations

import asyncio
import io

from fastapi import APIRouter, Request, Response, UploadFile
from PIL import Image

from pipelines import requests
from pipelines.errors import TriptychError
from studio import limits
from studio.formats.metadata import metadata
from studio.formats.pictures import thumbnail
from studio.web.answers import answered
from studio.web.context import Here, Owner, Studio
from studio.web.uploading import UploadRoute

CAPTION_SECONDS = 120.0  # a device that is busy with pictures answers late

# The name is the hash of the content
_KEEP = {"Cache-Control": "private, max-age=31536000, immutable"}
_MOST = limits.UPLOAD_BYTES + limits.MULTIPART_EXTRA_BYTES
router = APIRouter(prefix="/api", tags=["uploads"], max_body_size=_MOST, route_class=UploadRoute)


@router.post("/uploads", status_code=201)
def keep(studio: Here, owner: Owner, file: UploadFile) -> dict:
    """Store a start picture; its `sha256` goes into requests. `notes`: what had to be changed."""
    kept = studio.gallery.keep(owner, file.file.read())
    return {"sha256": kept.sha256, "width": kept.width, "height": kept.height, "notes": kept.notes}


@router.get("/uploads/{sha256}", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def picture(studio: Here, owner: Owner, sha256: str) -> Response:
    """A picture that one has stored, as it is given to models."""
    data = studio.gallery.upload(owner, sha256)
    kind = "image/png" if data.startswith(b"\x89PNG") else "application/octet-stream"
    return Response(data, media_type=kind, headers=_KEEP)


@router.get("/uploads/{sha256}/thumb", response_class=Response, responses={200: {"content": {"image/webp": {}}}})
def thumb(studio: Here, owner: Owner, sha256: str) -> Response:
    """The same, small."""
    with Image.open(io.BytesIO(studio.gallery.upload(owner, sha256))) as image:
        return Response(thumbnail(image), media_type="image/webp", headers=_KEEP)


@router.get("/uploads/{sha256}/caption")
async def caption(http: Request, studio: Here, owner: Owner, sha256: str) -> dict:
    """What the first captioner says of it, "" where there is none. Nothing of this is kept."""
    models = [entry for entry in await asyncio.to_thread(studio.catalog.entries, "caption") if entry.ready]
    if not models:
        return {"caption": ""}
    request = requests.make("caption", picture=sha256, model=models[0].id, priority="interactive")
    answer = await answered(http, studio, owner, request, CAPTION_SECONDS)
    return {"caption": answer.info.get("caption", "")}


@router.post("/info")
def info(studio: Here, owner: Owner, file: UploadFile) -> dict:
    """The settings in a picture. `fields` can be used as they are; `notes` says which could not, and why."""
    found = studio.apart(metadata.told, file.file.read())
    return {**found, "notes": found["notes"] + _unknown_model(studio, found["fields"])}


def _unknown_model(studio: Studio, fields: dict) -> list[str]:
    """A model that is not here is dropped, so that the rest can be used with another."""
    try:
        if "model" in fields:
            studio.catalog.find(fields["model"])
    except TriptychError as error:
        del fields["model"]
        return [str(error)]
    return []
