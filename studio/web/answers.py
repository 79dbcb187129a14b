"""Answers that a route waits for: no thread waits with it, and whoever goes away takes the question along."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from fastapi import Request
from starlette.exceptions import HTTPException

from pipelines import requests
from pipelines.base import Artifact
from pipelines.errors import NotAllowed
from studio.web.context import Studio

T = TypeVar("T")
GONE = 499  # "client closed request", as nginx has it
BUSY = "The device is busy: ask again later."


async def answered(http: Request, studio: Studio, owner: str, asked: requests.Request, seconds: float) -> Artifact:
    """The worker's answer to one question of an owner. Raises what the asking raises, NotAllowed when it takes long."""
    return await while_there(http, studio.engine.answered(owner, asked, seconds))


async def while_there(http: Request, work: Coroutine[None, None, T]) -> T:
    """What `work` comes to; it is cancelled when the client goes. Raises NotAllowed where it ran out of time."""
    answer, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(http))
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise HTTPException(GONE)
    except TimeoutError as error:
        raise NotAllowed(BUSY) from error
    finally:
        answer.cancel()
        gone.cancel()


async def _gone(http: Request) -> None:
    """The body has been read by now: whatever comes is the end."""
    while (await http.receive())["type"] != "http.disconnect":
        pass
