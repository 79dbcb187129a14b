"""Routes that take files: who may send what is known before the first byte of the body is read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from pipelines.errors import InvalidRequest
from studio.web.accounts.auth import owner_of


class UploadRoute(APIRoute):
    """As the framework's, which would spool the whole body to the disk before it asks anything."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, most = super().get_route_handler(), self.max_body_size

        async def checked(request: Request) -> Response:
            with ExitStack() as stack:
                await run_in_threadpool(_enter, stack, request, most or 0)
                return await handle(request)

        return checked if "POST" in (self.methods or ()) else handle


def _enter(stack: ExitStack, request: Request, most: int) -> None:
    """Raises NotFound for the batch of another, NoRoom, TooMany. A body of unknown length counts as the longest."""
    studio, owner = request.app.state.studio, owner_of(request)
    batch = request.path_params.get("id")
    if batch is not None:
        studio.batches.get(owner, batch)
    length = request.headers.get("content-length")
    if length is not None and not length.isdecimal():
        raise InvalidRequest("content-length", length, "a number of bytes")
    stack.enter_context(studio.engine.quotas.upload(owner, most if length is None else int(length)))
