"""Which models of this kind there are, as plain data. No torch."""

from __future__ import annotations

from pathlib import Path

from pipelines.entry import Entry


def read(id: str, folder: Path, source: str, config: dict) -> Entry | None:
    """The entry of a folder with that `config.json`, or None where it is not of this kind."""
    return None


def entries() -> list[Entry]:
    """The models that come in Python packages."""
    return []
