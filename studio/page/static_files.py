"""The page's own files (scripts, theme, example pictures), served under a path that changes when any of them changes.

So they may be cached for ever, and a new version is seen at once. `/static` and `/assets` belong to Gradio.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from pipelines.assets import ASSETS

FOLDERS = {
    "js": Path(__file__).resolve().parent / "static",
    "theme": ASSETS / "theme",
    "examples": ASSETS / "examples",
}
TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".webp": "image/webp",
         ".svg": "image/svg+xml"}  # fmt: skip


class _Forever(StaticFiles):
    """Right types whatever the machine's mime table says, and no second question from the browser."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
            response.headers["X-Content-Type-Options"] = "nosniff"
            kind = TYPES.get(Path(path).suffix)
            if kind:
                response.headers["Content-Type"] = kind + ("; charset=utf-8" if "image" not in kind else "")
        return response


def base() -> str:
    """Where the files are: "/studio/<twelve hex digits of their content>"."""
    seen = hashlib.sha256()
    for folder in FOLDERS.values():
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                seen.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return f"/studio/{seen.hexdigest()[:12]}"


def mount(app: FastAPI, base: str) -> None:
    """Serve the folders of this page under `base`."""
    for name, folder in FOLDERS.items():
        app.mount(f"{base}/{name}", _Forever(directory=folder, check_dir=False), name=f"page-{name}")
