"""Weights that are never opened: loading a pickle runs whatever is in it. No torch."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")


def any_in(folder: Path) -> bool:
    """Whether one lies in the folder; False where there is no such folder, or none that can be looked into."""
    try:
        return folder.is_dir() and any(file.suffix in SUFFIXES for file in folder.iterdir())
    except OSError:
        return False


def lies_in(parent: Path, name: str) -> bool:
    """Whether somebody has put one there as the model of that name: in a folder, or as a file."""
    try:
        found = [file for file in parent.iterdir() if name in (file.name, file.stem)]
        return any(any_in(file) or (file.is_file() and file.suffix in SUFFIXES) for file in found)
    except OSError:
        return False


def refusal(name: str, part: str = "") -> str:
    """The sentence for a person. part: of the model, such as its unet."""
    if part:
        return (
            f"{name} keeps its {part} weights as a pickle, which can run anything; only safetensors files are opened."
        )
    return f"{name} keeps its weights as a pickle, which can run anything; only safetensors files are opened."
