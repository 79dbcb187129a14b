"""Who asks: every browser is an owner by a signed cookie, or, where a login is asked for, every user is.

`owner_of(request)` is all that the rest of the studio needs.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio import limits
from studio.durable import write_file
from studio.users import Users

KEY = "triptych.owner"
OPEN_PATHS = ("/login", "/logout", "/health")
_RENEW_SECONDS = 30 * 24 * 3600


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


class Sessions:
    """Makes and reads the signed cookie. Its name comes from the secret: two studios on one host keep theirs apart."""

    def __init__(self, secret: bytes, users: Users | None = None):
        self.users, self._secret = users, secret
        self.name = "triptych_" + hashlib.sha256(secret).hexdigest()[:8]
        self._signer = URLSafeTimedSerializer(
            secret, salt="triptych.owner", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        )

    def read(self, cookies: str) -> tuple[str | None, bool]:
        """The owner that a Cookie header proves, and whether the proof is due for renewal."""
        try:
            morsel = SimpleCookie(cookies).get(self.name)
            value, signed = self._signer.loads(
                morsel.value if morsel else "", max_age=limits.SESSION_SECONDS, return_timestamp=True
            )
        except (BadData, CookieError):
            return None, True
        owner = self._owner(value)
        return owner, owner is None or time.time() - signed.timestamp() > _RENEW_SECONDS

    def cookie(self, owner: str, secure: bool) -> str:
        """The Set-Cookie value for an owner."""
        value = self._signer.dumps([owner, self._stamp(owner)])
        return self._set_cookie(value, limits.SESSION_SECONDS, secure)

    def forget(self, secure: bool) -> str:
        """The Set-Cookie value that removes the cookie."""
        return self._set_cookie("", 0, secure)

    def _set_cookie(self, value: str, seconds: int, secure: bool) -> str:
        flags = "; Secure" if secure else ""
        return f"{self.name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{flags}"

    def _owner(self, value: object) -> str | None:
        """A cookie from before logins were switched on, or off, or from before a password changed, proves nothing."""
        if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)):
            return None
        owner, stamp = value
        expected = self._stamp(owner)
        return owner if stamp == expected and (expected or not self.users) else None

    def _stamp(self, owner: str) -> str | None:
        """Changes with the user's password; keyed, because people can read their cookies."""
        kept = self.users.kept(owner) if self.users else None
        return None if kept is None else hmac.new(self._secret, kept.encode(), "sha256").hexdigest()[:16]


class OwnerMiddleware:
    """Puts the owner into the scope of every request, and the cookie into the first answer."""

    def __init__(self, app: ASGIApp, sessions: Sessions):
        self.app, self.sessions = app, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        owner, renew = self.sessions.read(_header(scope, b"cookie"))
        if owner is None and (self.sessions.users or scope["type"] == "websocket"):
            if scope["path"] not in OPEN_PATHS:
                await _refuse(scope, receive, send)
                return
        elif owner is None:
            owner = secrets.token_hex(16)
        scope[KEY] = owner
        if owner and renew and scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            send = _with_cookie(send, self.sessions.cookie(owner, is_secure(scope)))
        await self.app(scope, receive, send)


def is_secure(scope: MutableMapping) -> bool:
    return scope.get("scheme") in ("https", "wss")


def load_secret(folder: Path) -> bytes:
    """The 32 bytes that sign the cookies, made at the first start, readable by the user alone."""
    path = folder / "secret"
    if not path.exists():
        write_file(path, secrets.token_bytes(32), mode=0o600)
    return path.read_bytes()


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4401, "reason": "Log in first."})
        return
    response: Response = JSONResponse({"error": {"code": "login", "field": None, "message": "Log in first."}}, 401)
    if scope["method"] == "GET" and "text/html" in _header(scope, b"accept"):
        response = RedirectResponse("/login", 303)
    await response(scope, receive, send)


def _with_cookie(send: Send, cookie: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if "public" not in headers.get("cache-control", ""):  # a shared cache must not hand out cookies
                headers.append("set-cookie", cookie)
        await send(message)

    return sending


def _header(scope: MutableMapping, name: bytes) -> str:
    return b"; ".join(value for key, value in scope["headers"] if key == name).decode("latin-1")
