"""The live connection: one's own jobs and batches and the state of the machine, pushed as they change."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from functools import partial

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from studio import limits
from studio.batches.views import batch_event
from studio.web.context import Here, Owner, Studio

router = APIRouter()


@router.websocket("/live")
async def live(socket: WebSocket, studio: Here, owner: Owner) -> None:
    """First every job that there is, oldest first, and the status; then each change."""
    if not await _let_in(socket, owner):
        return
    sending = asyncio.create_task(_send(socket, studio, owner))
    try:
        while True:  # nothing is expected; this ends when the browser goes away
            await socket.receive_text()
    except (WebSocketDisconnect, KeyError):
        pass
    finally:
        socket.app.state.watching -= Counter({owner: 1})  # who has none left is forgotten
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _let_in(socket: WebSocket, owner: str) -> bool:
    """A person has some windows open, not hundreds."""
    watching = socket.app.state.watching
    if watching[owner] >= limits.SOCKETS_PER_OWNER:
        await socket.close(4429, "The studio is open in too many windows.")
        return False
    watching[owner] += 1
    await socket.accept()
    return True


async def _send(socket: WebSocket, studio: Studio, owner: str) -> None:
    told = partial(batch_event, studio.batches, owner)
    async with studio.engine.subscribe(owner, told) as events:  # before the first look, so that nothing falls between
        for view in reversed(await asyncio.to_thread(studio.engine.views, owner)):
            await _event(socket, {"type": "job", "job": view})
            if view["pieces"]:
                events.tell(view["id"])  # what is spoken by now, if it goes on
        await _event(socket, {"type": "status", "status": await asyncio.to_thread(studio.engine.status, owner)})
        async for event in events:
            await _event(socket, event)
    await socket.close(1001)


async def _event(socket: WebSocket, event: dict) -> None:
    await socket.send_text(json.dumps(event, ensure_ascii=False))
