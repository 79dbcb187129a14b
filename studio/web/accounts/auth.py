"""Who asks: every browser is an owner by a signed cookie, or, where a login is asked for, every user is.

`owner_of(request)` is all that the rest of the studio needs. Who it is, is decided in one place, which is
`OwnerMiddleware.identify`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.web.accounts.last_seen import LastSeen
from studio.web.accounts.newcomers import Newcomers
from studio.web.accounts.sessions import Proof, Sessions

KEY = "triptych.owner"
SESSION_KEY = "triptych.session"
OPEN_PATHS = ("/login", "/logout", "/health")
_OVER = {"code": 4401, "reason": "Log in first."}


class NotLoggedIn(Exception):
    """A request without an owner."""

    def __init__(self):
        super().__init__("Log in first.")


def owner_of(request: Any) -> str:
    """The owner behind a starlette Request or WebSocket, or a gradio Request; raises NotLoggedIn."""
    inner = getattr(request, "request", request)  # gradio wraps starlette's
    owner = inner.scope.get(KEY)
    if not owner:
        raise NotLoggedIn
    return owner


class OwnerMiddleware:
    """Puts the owner into the scope of every request, and the cookie into the first answer."""

    def __init__(self, app: ASGIApp, sessions: Sessions, newcomers: Newcomers, seen: LastSeen):
        self.app, self.sessions, self.newcomers, self.seen = app, sessions, newcomers, seen

    def identify(self, scope: Scope) -> Proof | None:
        """Whose request this is; None: nobody's, as a login is needed. Every kind of proof is looked at here."""
        proof = self.sessions.read(header(scope, b"cookie"))
        if proof is None and self.sessions.users is None and scope["type"] == "http":
            return Proof(secrets.token_hex(16), due=True)
        return proof

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        proof = self.identify(scope)
        if proof is None and scope["path"] not in OPEN_PATHS:
            await _refuse(scope, receive, send)
            return
        if proof and not proof.due and self.seen.due(proof.owner):
            asyncio.get_running_loop().run_in_executor(None, self.seen.note, proof.owner)
        if proof and (wait := await self._too_new(proof, scope)):
            await too_many(wait)(scope, receive, send)
            return
        scope[KEY], scope[SESSION_KEY] = (proof.owner, proof.session) if proof else (None, "")
        if proof and proof.due and scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            send = _with_cookie(send, self.sessions.cookie(proof.owner, is_secure(scope), proof.session))
        if proof and proof.session and (scope["type"] == "websocket" or scope["method"] == "GET"):
            await self._while_logged_in(proof, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _too_new(self, proof: Proof, scope: Scope) -> float:
        """Seconds until an owner that nobody has seen may do something; 0 for looking, and for everybody else."""
        looks = scope["type"] == "websocket" or scope["method"] in ("GET", "HEAD", "OPTIONS")
        if self.sessions.users or looks or self.newcomers.seen(proof.owner):
            return 0.0
        address = scope["client"][0] if scope.get("client") else ""
        return await run_in_threadpool(self.newcomers.wait, proof.owner, address)

    async def _while_logged_in(self, proof: Proof, scope: Scope, receive: Receive, send: Send) -> None:
        """What goes on for long (the live connection, sound, progress) ends with the session."""
        ends, over, loop = self.sessions.ends, asyncio.Event(), asyncio.get_running_loop()

        def hear() -> None:
            if self.sessions.read(header(scope, b"cookie")) is None:
                with suppress(RuntimeError):  # the loop has ended, and the connection with it
                    loop.call_soon_threadsafe(over.set)

        stop = ends.listen(proof.owner, hear)
        try:
            await self.app(scope, _until(over, scope, receive, send), send)
        finally:
            stop()


def _until(over: asyncio.Event, scope: Scope, receive: Receive, send: Send) -> Receive:
    """`receive`, until `over`: from then on the other side counts as gone."""

    async def receiving() -> Message:
        coming, ended = asyncio.ensure_future(receive()), asyncio.ensure_future(over.wait())
        try:
            await asyncio.wait({coming, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not over.is_set():
                return coming.result()
        finally:
            coming.cancel()
            ended.cancel()
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", **_OVER})
        return {"type": f"{scope['type']}.disconnect", "code": _OVER["code"]}

    return receiving


def is_secure(scope: MutableMapping) -> bool:
    return scope.get("scheme") in ("https", "wss")


def header(scope: MutableMapping, name: bytes) -> str:
    """All headers of that name, as one."""
    return b"; ".join(value for key, value in scope["headers"] if key == name).decode("latin-1")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", **_OVER})
        return
    response: Response = JSONResponse({"error": {"code": "login", "field": None, "message": "Log in first."}}, 401)
    if scope["method"] == "GET" and "text/html" in header(scope, b"accept"):
        response = RedirectResponse("/login", 303)
    await response(scope, receive, send)


def too_many(wait: float) -> Response:
    """What a flood of new owners is told."""
    seconds = int(wait) + 1
    said = (
        "Many new browsers have come from your address. Keep the cookie between requests, or try again in "
        f"{seconds} seconds."
    )
    error = {"code": "too_many", "field": None, "message": said}
    return JSONResponse({"error": error}, 429, headers={"Retry-After": str(seconds)})


def _with_cookie(send: Send, cookie: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            name = cookie.partition("=")[0]
            set_already = any(value.startswith(f"{name}=") for value in headers.getlist("set-cookie"))
            # a shared cache must not hand out cookies; and a route that makes somebody another owner has the last word
            if "public" not in headers.get("cache-control", "") and not set_already:
                headers.append("set-cookie", cookie)
        await send(message)

    return sending
