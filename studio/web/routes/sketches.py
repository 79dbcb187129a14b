"""Sketches: pictures of a few steps while somebody types. No row, no file, no place in the gallery."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from pipelines.errors import InvalidRequest
from pipelines.requests import ImageRequest, Priority, make
from studio.web.answers import answered
from studio.web.context import Here, Owner
from studio.web.routes.jobs import json_object

router = APIRouter(prefix="/api/sketches", tags=["jobs"])
STEPS = 8
SECONDS = 120.0


@router.post("", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def sketch(http: Request, studio: Here, owner: Owner, fields: Annotated[dict, Depends(json_object)]) -> Response:
    """The picture itself, of a request as for a job, with at most 8 steps. Asked for again as a job, it is the same."""
    fields.pop("kind", None)
    request = make("image", **{**fields, "priority": Priority.INTERACTIVE})
    _cheap(request)
    made = await answered(http, studio, owner, request, SECONDS)
    return Response(made.data, media_type=made.media_type, headers={"Cache-Control": "no-store"})


def _cheap(request: ImageRequest) -> None:
    """Raises InvalidRequest for what is a job's work."""
    if request.steps > STEPS:
        raise InvalidRequest("steps", request.steps, f"at most {STEPS} for a sketch")
    if request.count > 1:
        raise InvalidRequest("count", request.count, "1 for a sketch")
