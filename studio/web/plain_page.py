"""Pages before and beside the studio, without its scripts: the login, one's own gallery. In the reader's language."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse


def language_of(request: Request) -> str:
    """The language that the studio was shown in, else the browser's."""
    wanted = request.cookies.get("triptych_language") or request.headers.get("accept-language", "")
    return "zh-CN" if wanted.lower().startswith("zh") else "en"


def shown(file: Path, values: Mapping[str, str], status: int = 200) -> HTMLResponse:
    """The page with every {{name}} replaced, as text and not as HTML."""
    page = re.sub(r"\{\{(\w+)\}\}", lambda place: html.escape(values[place[1]]), file.read_text("utf-8"))
    return HTMLResponse(page, status, headers={"Cache-Control": "no-store"})
