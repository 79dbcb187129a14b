"""What must be in the page's HTML before Gradio starts: language, light or dark, the stylesheet, the icon.

Gradio adds `head=` only after its own scripts have run, which would show the wrong language and a flash of white.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EARLY = """
(() => {
  const kept = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const wanted = kept("triptych.language") || navigator.language || "en";
  const language = /^zh/i.test(wanted) ? "zh-CN" : "en";
  Object.defineProperty(navigator, "language", { get: () => language, configurable: true });
  Object.defineProperty(navigator, "languages", { get: () => [language], configurable: true });
  document.cookie = "triptych_language=" + language + "; path=/; max-age=31536000; SameSite=Lax";
  document.documentElement.lang = language;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = kept("triptych.theme") || (dark ? "dark" : "light");
  document.documentElement.dataset.tab = location.hash.slice(1) || "image";
  // Ctrl+Enter before the page's own scripts are there is kept for them (keys.js)
  const early = { press: (event) => { early.asked ||= event.key === "Enter" && (event.ctrlKey || event.metaKey); } };
  addEventListener("keydown", early.press, { capture: true });
  window.triptychEarly = early;
})();
"""
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='%233a4fd6'%3E"
    "%3Crect x='1' y='6' width='5' height='12' rx='1.5' opacity='.55'/%3E%3Crect x='8' y='3' width='8' height='18' "
    "rx='1.5'/%3E%3Crect x='18' y='6' width='5' height='12' rx='1.5' opacity='.55'/%3E%3C/svg%3E"
)
STYLES = ("variables", "frame", "form", "stage", "rooms", "speech", "caption", "compose", "paint")
_FOREIGN = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>')


class Shell:
    """ASGI middleware that rewrites the one HTML page at `/`; everything else passes through untouched."""

    def __init__(self, app: ASGIApp, base: str, tabs: Sequence[str], title: str = "Triptych"):
        self.app, self.head = app, _head(base, tabs, title).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        # the body must come uncompressed to be rewritten
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self.app({**scope, "headers": plain}, receive, _Rewriter(send, self.head))


class _Rewriter:
    """Collects the response, and sends it with our head when it is HTML."""

    def __init__(self, send: Send, head: bytes):
        self.send, self.head, self.body = send, head, b""
        self.start: Message = {}

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        if message["type"] != "http.response.body":  # what a server may do beside HTTP
            await self.send(message)
            return
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        headers = MutableHeaders(raw=self.start["headers"])
        if "text/html" in headers.get("content-type", ""):
            self.body = rewrite(self.body, self.head)
            headers["content-length"] = str(len(self.body))
        await self.send(self.start)
        await self.send({"type": "http.response.body", "body": self.body})


def rewrite(html: bytes, head: bytes) -> bytes:
    """Our head first, and none of the framework's own cards for other sites."""
    html = _FOREIGN.sub(b"", html).replace(b'<link rel="manifest" href="/manifest.json" />', b"")
    return html.replace(b"<head>", b"<head>" + head, 1)


def _head(base: str, tabs: Sequence[str], title: str) -> str:
    styles = "".join(f'<link rel="stylesheet" href="{base}/theme/{name}.css">' for name in STYLES)
    panels = ",".join(f':root[data-tab="{name}"] #panel-{name}' for name in tabs)
    return (
        f"<title>{title}</title><script>{_EARLY}</script>"
        f'<link rel="icon" href="{_ICON}">{styles}<style>{panels}{{display:grid}}</style>'
        f'<link rel="modulepreload" href="{base}/js/main.js"><meta name="robots" content="noindex">'
    )
