"""The bar at the top: mark, tabs, the state of the machine, language, light and dark."""

from __future__ import annotations

import json
from collections.abc import Sequence

from studio.page.builder import PageBuilder, root


def build(room: PageBuilder, names: Sequence[str]) -> None:
    """Only a root: the header is drawn by static/jobs/header.js, since all of it is live."""
    root(room, "header", json.dumps({"tabs": list(names), "login": bool(getattr(room.settings, "login", False))}))
