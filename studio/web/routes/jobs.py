"""Jobs: ask for pictures, watch, cancel, pause, order, try again."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Request

from pipelines import requests
from pipelines.errors import InvalidRequest, NotAllowed
from pipelines.requests import ImageRequest
from studio.web import json_body
from studio.web.context import Here, Owner, Studio

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


def _schema() -> dict:
    """Every kind of request, each complete in itself."""
    kinds = [kind.model_json_schema() for kind in requests.KINDS.values()]
    one_of = [_inlined(schema, schema.pop("$defs", {})) for schema in kinds]
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": {"oneOf": one_of}}}}}


def _inlined(schema: object, named: dict) -> object:
    """A reference would be looked up in the document that this becomes a part of."""
    if isinstance(schema, list):
        return [_inlined(part, named) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        whole = {**named[schema["$ref"].rpartition("/")[2]], **{k: v for k, v in schema.items() if k != "$ref"}}
        return _inlined(whole, named)
    return {key: _inlined(value, named) for key, value in schema.items()}


async def json_object(request: Request) -> dict:
    """The JSON object in the body. Its fields are checked by the request itself, which says what is allowed."""
    body = await asyncio.to_thread(json_body.parse, await request.body())
    if not isinstance(body, dict):
        raise InvalidRequest("request", body, "a JSON object")
    return body


@router.post("", status_code=201, openapi_extra=_schema())
def submit(studio: Here, owner: Owner, fields: Annotated[dict, Depends(json_object)]) -> dict:
    """Put pictures (`count` of them, each a job of its own), a text to speak or a picture to describe in line."""
    return {"jobs": _submitted(studio, owner, requests.make(str(fields.pop("kind", "image")), **fields))}


@router.get("")
def jobs(studio: Here, owner: Owner) -> dict:
    """One's own jobs, newest first: the live ones and those that ended lately."""
    return {"jobs": studio.engine.views(owner)}


@router.post("/order")
def order(studio: Here, owner: Owner, ids: Annotated[list[str], Body(embed=True, max_length=1000)]) -> dict:
    """One's own waiting jobs in another order; nobody else's place changes."""
    studio.engine.reorder(owner, ids)
    return {"jobs": studio.engine.views(owner)}


@router.post("/cancel")
def cancel(
    studio: Here, owner: Owner, ids: Annotated[list[str] | None, Body(embed=True, max_length=1000)] = None
) -> dict:
    """All of one's own jobs that are not over, or those of them that are named. Answers with the ids of those."""
    return {"cancelled": studio.engine.cancel_all(owner, None if ids is None else set(ids))}


@router.get("/{id}")
def job(studio: Here, owner: Owner, id: str) -> dict:
    return {"job": studio.engine.view(owner, id)}


@router.post("/{id}/filmstrip", status_code=201)
def filmstrip(studio: Here, owner: Owner, id: str) -> dict:
    """The same picture once more, as eight frames from noise to picture."""
    request = studio.engine.request(owner, id)
    if not isinstance(request, ImageRequest):
        raise NotAllowed("Only a picture has a filmstrip.")
    change = {"filmstrip": True, "priority": requests.Priority.INTERACTIVE, "count": 1}
    return {"jobs": _submitted(studio, owner, request.model_copy(update=change))}


@router.post("/{id}/{verb}")
def act(studio: Here, owner: Owner, id: str, verb: Literal["cancel", "pause", "resume", "retry"]) -> dict:
    if verb == "retry":
        id = studio.engine.retry(owner, id).id
    else:
        getattr(studio.engine, verb)(owner, id)
    return {"job": studio.engine.view(owner, id)}


def _submitted(studio: Studio, owner: str, request: requests.Request) -> list[dict]:
    return [studio.engine.view(owner, job.id) for job in studio.engine.submit(owner, request)]
