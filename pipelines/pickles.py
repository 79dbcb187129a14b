"""Weights that are never opened: loading a pickle runs whatever is in it. No torch."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")


def any_in(folder: Path) -> bool:
    """Whether one lies in the folder; False where there is no such folder."""
    return folder.is_dir() and any(file.suffix in SUFFIXES for file in folder.iterdir())
