"""From which numbers on an alignment model's answers mean something: measured for each model, and kept beside it.

`calibration` in the model folder's `triptych.json` holds them; `python -m pipelines.training.evaluation.calibrate`
writes it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path

from pipelines.catalog import folders


@dataclass(frozen=True, slots=True)
class Limits:
    """doubtful: a caption whose score is under it is rather wrong than right. near: the cosine from which on two
    pictures are nearly the same. pictures, texts: the cosine from which on a picture, a text is like the words of a
    search; −1: nobody has measured that, and everything is.
    """

    doubtful: float = 0.1
    near: float = 0.97
    pictures: float = -1.0
    texts: float = -1.0


def read(folder: Path, name: str) -> Limits:
    """Those of a model folder, or the usual ones. Raises ModelUnavailable where the file is damaged."""
    said, known = _said(folder, name), {field.name for field in fields(Limits)}
    return Limits(**{key: float(value) for key, value in said.items() if key in known})


def stale(folder: Path) -> bool:
    """Whether they were measured with other weights than those that are there now."""
    said = _said(folder, folder.name).get("weights")
    return bool(said) and said != mark(folder)


def mark(folder: Path) -> str:
    """Of the weights of a model folder: another one after training. Reads the files whole."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as opened:
            while block := opened.read(2**24):
                digest.update(block)
    return digest.hexdigest()[:16]


def _said(folder: Path, name: str) -> dict:
    if not (folder / "triptych.json").is_file():
        return {}
    said = folders.config(folder, "triptych.json", name).get("calibration")
    return said if isinstance(said, dict) else {}
