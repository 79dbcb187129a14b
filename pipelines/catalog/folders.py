"""Reads what a model folder says about itself: model_index.json and the parts' configs. No torch, no weights."""

from __future__ import annotations

import logging
import math
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

from pipelines.catalog import json_files, registry
from pipelines.catalog.entry import Entry
from pipelines.errors import ModelUnavailable
from pipelines.requests import Sampler

# Low-rank changes beside a model that make it draw in a few steps: a second model, of the same parts.
FEW_STEP = "few-step.safetensors"
MOST_TEXT = 2000  # characters of a name, a note, a voice


log = logging.getLogger(__name__)


def read(id: str, folder: Path, source: str) -> Entry:
    """The catalog entry of a folder, or of the few-step variant whose file is given.

    Raises ModelUnavailable with one sentence, which names no path, and nothing else: anybody may have written what
    lies in the folder, and one that nobody foresaw must not take the other models away.
    """
    try:
        entry = _read(id, folder, source)
        if all(_speakable(getattr(entry, field.name)) for field in fields_of(entry)):
            return entry
    except ModelUnavailable:
        raise
    except Exception as error:
        log.warning("The model folder %r cannot be read", folder.name, exc_info=error)
        raise ModelUnavailable(f"{printable(id)} is damaged: its settings are not what they should be.") from error
    raise ModelUnavailable(f"{printable(id)} is damaged: its settings are not what they should be.")


def printable(name: str) -> str:
    """A name that can be written anywhere: bytes of a file name that are no text become visible, and none is long."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")[:200]


def _speakable(value: object) -> bool:
    """Whether JSON can say it: text that is text, numbers of sane size. A folder may hold anything."""
    if isinstance(value, tuple | frozenset):
        return all(_speakable(one) for one in value)
    if isinstance(value, str):
        return len(value) <= MOST_TEXT and "\0" not in value and printable(value[:200]) == value[:200]
    if isinstance(value, int | float):
        return math.isfinite(value) and abs(value) < 2**53
    return True


def _read(id: str, folder: Path, source: str) -> Entry:
    name, place = id.rpartition("/")[2], folder.parent if folder.name == FEW_STEP else folder
    if not (place / "model_index.json").is_file():
        if (place / "config.json").is_file():
            return registry.read(id, folder, source, config(place, "config.json", name))
        if any(place.glob("*.onnx")):
            return registry.read(id, folder, source, {"model_type": "model in an ONNX file"})
    return registry.read(id, folder, source, config(place, "model_index.json", name))


def config(folder: Path, part: str, name: str) -> dict[str, Any]:
    """A JSON file of the folder. Raises ModelUnavailable when it is missing or damaged."""
    try:
        return json_files.read_object(folder / part)
    except FileNotFoundError as error:
        raise ModelUnavailable(f"{name} is incomplete: {part} is missing.") from error
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{name} is damaged: {part} cannot be read.") from error


def advice(folder: Path, name: str) -> dict[str, Any]:
    """What the model's maker recommends in triptych.json; empty where there is none."""
    if not (folder / "triptych.json").is_file():
        return {}
    said = config(folder, "triptych.json", name)
    known = {"name": str, "note": str, "steps": int, "guidance_scale": float, "sampler": Sampler, "width": int,
             "height": int, "sketch_steps": int}  # fmt: skip
    return {key: kind(said[key]) for key, kind in known.items() if key in said}
