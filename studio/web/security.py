"""Checks before any route: where a request comes from, and what the answer tells the browser."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.web.errors import SENTENCES, error_response

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_SAFE = ("GET", "HEAD", "OPTIONS")
_AT_WORK = "/api/"  # here a GET, too, may make the device work
_HOST = re.compile(r"(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9_][a-z0-9_.-]{0,252}))(?::[0-9]{1,5})?", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://(.+)", re.IGNORECASE)
_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Gradio compiles its HTML templates, what they do on load and the functions of its events in the browser:
        # without 'unsafe-eval' nothing of the page is built
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """On every answer: nothing from other hosts, no framing, no guessing of types."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)


class SameOrigin:
    """Other sites open in the same browser may not act here.

    Unsafe methods, websockets and whatever is asked of the API must come from our own pages (Sec-Fetch-Site, else
    Origin against Host) or have neither header, as programs do. `hosts`, where given, are the only Host names answered
    at all: a name of an attacker that resolves to this machine (DNS rebinding) would otherwise count as our own origin.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] = (), origins: tuple[str, ...] = ()):
        self.app, self.hosts = app, hosts
        self.origins = {origin.rstrip("/").lower() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            said = self._refusal(scope, Headers(scope=scope))
            if said:
                await _refuse(scope, receive, send, said)
                return
        await self.app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        host = headers.get("host", "")
        names = [host_name(one) for one in _hosts(headers)]
        if None in names:
            return "The name that this request is for is none."
        if self.hosts and (not names or names[0] not in self.hosts):
            return "This name is not one of the studio's: open it as localhost, or start it with --origins."
        if scope["type"] == "http" and scope["method"] in _SAFE and not scope["path"].startswith(_AT_WORK):
            return None
        return None if self._ours(headers, host) else "This request comes from a page of another site."

    def _ours(self, headers: Headers, host: str) -> bool:
        origin = headers.get("origin")
        if origin and origin.lower() in self.origins:
            return True
        if "sec-fetch-site" in headers:
            return headers["sec-fetch-site"] in ("same-origin", "none")
        if origin is None:
            return True
        named = _ORIGIN.fullmatch(origin)
        return named is not None and named[1].lower() == host.lower()


def host_name(host: str) -> str | None:
    """The name in a Host header, without brackets and port; None where that is nothing that a browser sends."""
    found = _HOST.fullmatch(host.strip())
    return (found[1] or found[2]).lower() if found else None


def _hosts(headers: Headers) -> list[str]:
    """The name that was asked for, and those that a proxy says were."""
    forwarded = ",".join(headers.getlist("x-forwarded-host"))
    return [*headers.getlist("host"), *(forwarded.split(",") if forwarded else ())]


class LengthSentence:
    """The framework cuts off what is too long, and says so in two bare words; a person gets our sentence."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def sending(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                replaced = True
                await error_response(413, *SENTENCES[413])(scope, receive, send)
            elif not replaced:
                await send(message)

        await self.app(scope, receive, sending)


async def _refuse(scope: Scope, receive: Receive, send: Send, message: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4403, "reason": message})
    else:
        await error_response(403, "other_site", message)(scope, receive, send)
