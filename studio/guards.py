"""Checks before any route: where a request comes from, and what the answer tells the browser."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.errors import SENTENCES, error_response

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_SAFE = ("GET", "HEAD", "OPTIONS")
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Gradio compiles its HTML templates in the browser
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

    Unsafe methods and websockets must come from our own pages (Sec-Fetch-Site, else Origin against Host) or have
    neither header, as programs do. `hosts`, where given, are the only Host names answered at all: a name of an
    attacker that resolves to this machine (DNS rebinding) would otherwise count as our own origin.
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
        if self.hosts and urlsplit(f"//{host}").hostname not in self.hosts:
            return "This name is not one of the studio's: open it as localhost, or start it with --origins."
        if scope["type"] == "http" and scope["method"] in _SAFE:
            return None
        return None if self._ours(headers, host) else "This request comes from a page of another site."

    def _ours(self, headers: Headers, host: str) -> bool:
        origin = headers.get("origin")
        if origin and origin.lower() in self.origins:
            return True
        if "sec-fetch-site" in headers:
            return headers["sec-fetch-site"] in ("same-origin", "none")
        return origin is None or urlsplit(origin).netloc.lower() == host.lower()


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
