"""An alignment without a model, for tests of the studio: it knows colours, in the middle of pictures and in words."""

from __future__ import annotations

import io
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from pipelines.base import Artifact, Piece
from pipelines.errors import BadUpload, TriptychError
from pipelines.requests import AlignRequest

COLOURS = {"red": (220, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 220), "yellow": (240, 220, 40),
           "white": (255, 255, 255), "black": (0, 0, 0)}  # fmt: skip
NAMES = list(COLOURS)


def middle(data: bytes) -> str:
    """The colour in the middle of a picture."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    seen = image.getpixel((image.width // 2, image.height // 2))
    return min(NAMES, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLOURS[name], seen, strict=True)))


@dataclass
class Aligning:
    request: AlignRequest
    colours: list[str]
    steps_left: int = 1
    steps_total: int = 1
    rows: int = 1
    notes: list[str] = field(default_factory=list)
    error: TriptychError | None = None


class AligningPipeline:
    def check(self, request: AlignRequest) -> None:
        pass

    def prepare(self, request: AlignRequest, pictures: Mapping[str, bytes]) -> Aligning:
        if any("unreadable" in text for text in request.texts):
            raise BadUpload("The file cannot be read as a picture.")
        return Aligning(request, [middle(pictures[sha]) for sha in request.pictures])

    def batch_key(self, state: Aligning) -> Hashable:
        return "aligning"

    def bytes_per_row(self, key: Hashable) -> int:
        return 1000

    def step(self, states: Sequence[Aligning]) -> None:
        time.sleep(0.01)
        for state in states:
            state.steps_left -= 1

    def pieces(self, state: Aligning) -> list[Piece]:
        return []

    def preview(self, state: Aligning) -> None:
        return None

    def finish(self, state: Aligning) -> Artifact:
        request, names = state.request, [_named(text) for text in state.request.texts]
        vectors = np.stack([one_hot(name) for name in [*names, *state.colours]])
        info = {"dim": len(NAMES), "texts": len(names), "pictures": len(state.colours), "model": "none", "notes": []}
        if request.labels:
            fits = [[0.8 if colour in label else 0.1 for label in request.labels] for colour in state.colours]
            info |= {"labels": fits, "standing": [[0.97 if share > 0.5 else 0.4 for share in line] for line in fits]}
        if request.check:
            pairs = zip(request.texts, state.colours, strict=True)
            info["checked"] = [_checked(text, colour) for text, colour in pairs]
        if request.heatmap:
            info["heatmap"] = {"width": 2, "height": 2, "views": [[0, 0, 1, 1]]}
            vectors = np.array([1.0, 0, 0, 0]) * (names[0] == state.colours[0])
        return Artifact("align", "application/octet-stream", vectors.astype("<f4").tobytes(), info)


def _named(text: str) -> str:
    return next((name for name in NAMES if name in text), "black")


def one_hot(name: str) -> np.ndarray:
    return np.eye(len(NAMES), dtype=np.float32)[NAMES.index(name)]


def _checked(text: str, colour: str) -> dict:
    good = colour in text
    phrases = [{"text": text, "span": [0, len(text)], "score": 0.9 if good else 0.1, "supported": good}]
    return {"text": text, "score": 0.88 if good else 0.04, "cosine": 0.2, "phrases": phrases}
