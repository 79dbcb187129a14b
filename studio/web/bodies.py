"""What a request brings along, before any route sees it: its kind is one that is read here, it comes in time, and its
JSON is within bounds.

A form is decoded with the charset that its sender names, by the framework, in the event loop: some of Python's codecs
take quadratic time. So there is one charset.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.errors import InvalidRequest
from studio import limits
from studio.web import json_body
from studio.web.errors import error_response

FORMS = (b"multipart/form-data", b"application/x-www-form-urlencoded")
_CHARSETS = (b"", b"utf-8", b"utf8", b"us-ascii")
_AT_ONCE = 64 * 1024  # bytes of JSON that are read where they are; longer ones off the event loop


class Bodies:
    """ASGI middleware. It stands within the limit of the length of bodies, and of who may come in."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if said := refusal(headers):
            await error_response(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "invalid", said, "request")(scope, receive, send)
            return
        paced = _Paced(receive, send)
        with suppress(TooSlow):  # an application may also have taken it for an error of its own
            await self._pass_on(scope, headers, paced)
        if paced.late and not paced.answered:
            await too_slow(scope, receive, send)

    async def _pass_on(self, scope: Scope, headers: Headers, paced: _Paced) -> None:
        if parse_options_header(headers.get("content-type"))[0] in FORMS:
            await self.app(scope, paced.receive, paced.send)
            return
        body = await _whole(paced.receive)
        try:
            await (asyncio.to_thread(_check, body) if len(body) > _AT_ONCE else _checked(body))
        except InvalidRequest as error:
            answer = error_response(HTTPStatus.UNPROCESSABLE_ENTITY, error.code, str(error), error.field)
            await answer(scope, paced.receive, paced.send)
        else:
            await self.app(scope, once(body, paced.receive), paced.send)


def refusal(headers: Headers) -> str | None:
    """Why a body with these headers is not read at all."""
    if len(headers.getlist("content-type")) > 1:
        return "Content-Type: got more than one, allowed is one."
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        return "Content-Encoding: got something else, allowed is a body as it is, not compressed."
    kind, options = parse_options_header(headers.get("content-type"))
    if options.get(b"charset", b"").strip(b" '\"").lower() not in _CHARSETS:
        return "Content-Type: got another charset, allowed is utf-8."
    if kind == FORMS[0] and not 1 <= len(options.get(b"boundary", b"")) <= limits.BOUNDARY:
        return f"Content-Type: got no fitting boundary, allowed is one of 1 to {limits.BOUNDARY} characters."
    return None


class TooSlow(Exception):
    """The body did not come in time."""


class _Paced:
    """`receive` until the body is whole, with a deadline that moves with what has come."""

    def __init__(self, receive: Receive, send: Send):
        self._receive, self._send = receive, send
        self._got, self._began = 0, asyncio.get_running_loop().time()
        self._whole = self.late = self.answered = False

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()
        until = self._began + limits.BODY_SECONDS + self._got / limits.BODY_RATE
        try:
            async with asyncio.timeout_at(until):
                message = await self._receive()
        except TimeoutError as error:
            self.late = True
            raise TooSlow from error
        self._got += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        await asyncio.sleep(0)  # whoever sends much and fast leaves the others their turn
        return message

    async def send(self, message: Message) -> None:
        """Whatever the application says of a body that did not come, it is one thing."""
        if self.late and not self.answered:
            return
        self.answered = True
        await self._send(message)


async def too_slow(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer to that; the connection ends with it."""
    answer = error_response(HTTPStatus.REQUEST_TIMEOUT, "too_slow", "The request took too long to come.")
    MutableHeaders(raw=answer.raw_headers)["Connection"] = "close"
    await answer(scope, receive, send)


async def _whole(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _check(body: bytes) -> None:
    if body:
        json_body.parse(body)


async def _checked(body: bytes) -> None:
    _check(body)


def once(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, then what comes after it."""
    parts = [body]

    async def receiving() -> Message:
        return {"type": "http.request", "body": parts.pop(), "more_body": False} if parts else await receive()

    return receiving
