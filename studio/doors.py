"""What of Gradio is open: the page itself, what it loads, and the one address where its buttons are heard.

Gradio brings some fifty more (uploads, files, its own queue, docs, monitoring, an editor of the code, …), all of them
made for other uses. A list of what is needed stays right when the next version brings another one.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from studio.errors import SENTENCES, error_response

CALLS = "/gradio_api/run/predict"
_OPEN = {"/": ("GET", "HEAD"), "/theme.css": ("GET", "HEAD"), CALLS: ("POST",)}
_FOLDERS = ("/assets/", "/static/")  # scripts and styles out of the package


class Doors:
    """ASGI middleware around Gradio's own application; what is closed does not exist."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or _open(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4404})
        else:
            await error_response(404, *SENTENCES[404])(scope, receive, send)


def _open(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    path = scope["path"]
    methods = ("GET", "HEAD") if path.startswith(_FOLDERS) else _OPEN.get(path, ())
    return scope["method"] in methods
