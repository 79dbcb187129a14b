"""Where the files lie that come with the studio: `assets` in a checkout, `triptych_assets` in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PARENT = Path(__file__).resolve().parent.parent
_INSTALLED = _PARENT / "triptych_assets"
ASSETS = _INSTALLED if _INSTALLED.is_dir() else _PARENT / "assets"
