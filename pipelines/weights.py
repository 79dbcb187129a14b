"""The weight files of a folder in the layout that transformers saves: which are there, how large. No torch."""

from __future__ import annotations

from pathlib import Path

from pipelines import folders, json_files, pickles
from pipelines.errors import ModelUnavailable

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"


def stored(folder: Path, name: str) -> tuple[int, int]:
    """Bytes of the weight files, and of one number in them. Raises ModelUnavailable: missing, or pickle only."""
    files = _files(folder, name)
    return sum(file.stat().st_size for file in files), folders.itemsize(files[0])


def whole(folder: Path) -> bool:
    """Whether every weight file is there."""
    try:
        return bool(_files(folder, folder.name))
    except ModelUnavailable:
        return False


def _files(folder: Path, name: str) -> list[Path]:
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if (folder / INDEX).is_file():
        return _shards(folder, name)
    if pickles.any_in(folder):
        raise ModelUnavailable(
            f"{name} keeps its weights as a pickle, which can run anything; only safetensors files are opened."
        )
    raise ModelUnavailable(f"{name} is incomplete: its weights are missing.")


def _shards(folder: Path, name: str) -> list[Path]:
    try:
        index = json_files.read_object(folder / INDEX)
        files = [folder / shard for shard in sorted(set(index["weight_map"].values()))]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelUnavailable(f"{name} is damaged: {INDEX} cannot be read.") from error
    inside = [file for file in files if file.parent == folder and file.suffix == ".safetensors" and file.is_file()]
    if not files or len(inside) < len(files):
        raise ModelUnavailable(f"{name} is incomplete: {len(files) - len(inside)} of its weight files are missing.")
    return files
