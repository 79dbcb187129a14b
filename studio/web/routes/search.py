"""Search by words, by meaning and by picture."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request

from pipelines.errors import InvalidRequest
from studio import limits
from studio.storage.records import ArtifactRow
from studio.web.answers import while_there
from studio.web.context import Here, Owner, Studio
from studio.web.routes.gallery import seen

router = APIRouter(prefix="/api/search", tags=["gallery"])


@router.get("")
async def search(
    http: Request,
    studio: Here,
    owner: Owner,
    text: Annotated[str, Query(max_length=1000)] = "",
    like: Annotated[str, Query(max_length=64)] = "",
    picture: Annotated[str, Query(max_length=64)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    limit: Annotated[int, Query(ge=1, le=limits.MAX_PAGE_SIZE)] = limits.PAGE_SIZE,
) -> dict:
    """Exactly one of: `text`; `like`, the id of an artifact; `picture`, the SHA-256 of a stored picture.

    `note` says in a sentence where the search could not go by meaning.
    """
    given = [name for name, value in (("text", text.strip()), ("like", like), ("picture", picture)) if value]
    if len(given) != 1:
        raise InvalidRequest("search", ", ".join(given) or "nothing", "one of text, like, picture")
    note = ""
    if text.strip():
        rows, note = await while_there(http, studio.search.by_text(owner, text.strip(), limits.MAX_PAGE_SIZE))
    elif like:
        rows = await asyncio.to_thread(_like, studio, owner, like)
    else:
        rows = await while_there(http, studio.search.by_picture(owner, picture, limits.MAX_PAGE_SIZE))
    chosen = [row for row in rows if kind in ("", row.kind)][:limit]
    return {"items": await asyncio.to_thread(lambda: [seen(studio, row) for row in chosen]), "note": note}


def _like(studio: Studio, owner: str, id: str) -> list[ArtifactRow]:
    return studio.search.like(owner, studio.gallery.artifact(owner, id), limits.MAX_PAGE_SIZE)
