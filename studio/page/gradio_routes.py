"""What of Gradio is open: the page itself and what it loads. Its buttons ask the studio's own routes, in the browser.

Gradio brings some fifty more addresses (calls of functions, uploads, files, its own queue, docs, monitoring, an editor
of the code, …), all of them made for other uses. A list of what is needed stays right when the next version brings
another one.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from studio.web.errors import SENTENCES, error_response

_OPEN = ("/", "/theme.css")
_FOLDERS = ("/assets/", "/static/")  # scripts and styles out of the package


class GradioRoutes:
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
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    return scope["path"] in _OPEN or scope["path"].startswith(_FOLDERS)
