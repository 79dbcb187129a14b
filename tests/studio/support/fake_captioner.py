"""A captioner without a model, for tests of the studio: it names the colour in the middle of the picture.

The picture's name and the forbidden words say what happens: `delay=0.02 raise_at=1 fail_at=1`.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy
from PIL import Image
from safetensors.numpy import save_file

from pipelines.base import Artifact, Piece
from pipelines.errors import TriptychError
from pipelines.requests import CaptionRequest, Request
from tests.studio.support.fake_alignment import AligningPipeline, middle
from tests.studio.support.fake_pipelines import FaultyPool, unmeasured


@dataclass
class Describing:
    request: CaptionRequest
    colour: str
    size: tuple[int, int]
    steps_left: int = 2
    steps_total: int = 2
    rows: int = 1
    notes: list[str] = field(default_factory=list)
    error: TriptychError | None = None

    def wish(self, name: str, default: float = -1) -> float:
        said = f"{self.request.name} {self.request.forbidden}".replace(".png", " ").replace("/", " ").split()
        return float(dict(word.split("=", 1) for word in said if "=" in word).get(name, default))


class DescribingPipeline:
    def check(self, request: CaptionRequest) -> None:
        pass

    def prepare(self, request: CaptionRequest, pictures: Mapping[str, bytes]) -> Describing:
        with Image.open(io.BytesIO(pictures[request.picture])) as image:
            return Describing(request, middle(pictures[request.picture]), image.size)

    def batch_key(self, state: Describing) -> Hashable:
        return "describing"

    def bytes_per_row(self, key: Hashable) -> int:
        return 1000

    def step(self, states: Sequence[Describing]) -> None:
        time.sleep(max(0.0, *(state.wish("delay", 0) for state in states)))
        for state in states:
            step = state.steps_total - state.steps_left + 1
            if step == state.wish("raise_at"):
                raise RuntimeError("a surprise")
            state.steps_left -= 1
            if step == state.wish("fail_at"):
                state.error = TriptychError("This picture could not be described.")

    def pieces(self, state: Describing) -> list[Piece]:
        return []

    def preview(self, state: Describing) -> None:
        return None

    def finish(self, state: Describing) -> Artifact:
        request = state.request
        thing = f"a {state.colour} emoji on a table"
        texts = [thing, f"a {state.colour} drawing", "a cat"][: request.candidates]
        if request.question:
            texts = [f"It is {state.colour}."]
        candidates = [
            {"text": f"{request.prefix}{text}{request.suffix}", "score": round(0.9 - 0.3 * i, 2), "cosine": 0.3,
             "phrases": phrases(f"{request.prefix}{text}{request.suffix}")}
            for i, text in enumerate(texts)
        ]  # fmt: skip
        best = candidates[0]
        info = {
            "caption": best["text"], "candidates": candidates, "style": str(request.style), "notes": state.notes,
            "alignment": {"model": "none", "score": SCORES[state.colour]}, "width": state.size[0],
            "height": state.size[1],
        }  # fmt: skip
        best["score"] = SCORES[state.colour]
        return Artifact("caption", "text/plain", best["text"].encode(), info, b"\0\x3c")


SCORES = {"red": 0.91, "green": 0.84, "blue": 0.77, "yellow": 0.7, "white": 0.41, "black": 0.06}


def phrases(text: str) -> list[dict]:
    """The table is never there."""
    found = []
    for part, good in (("emoji", True), ("on a table", False)):
        if (start := text.find(part)) >= 0:
            span = [start, start + len(part)]
            found.append({"text": part, "span": span, "score": 0.8 if good else 0.1, "supported": good})
    return found


class DescribingShelf(FaultyPool):
    """Captions from here, answers from `aligning`, pictures from the faulty pipeline."""

    def pipeline(self, request: Request, progress: Callable[[str, float], None]) -> object:
        if request.kind in ("caption", "align"):
            return DescribingPipeline() if request.kind == "caption" else AligningPipeline()
        return super().pipeline(request, progress)

    def scores(self, request: Request) -> bool:
        return request.kind == "image" and super().scores(request)


def open_model_pool(settings: dict) -> DescribingShelf:
    unmeasured()
    folder = Path(settings["data_dir"]) / "worker"  # where the faulty pipeline writes down its steps
    folder.mkdir(exist_ok=True)
    return DescribingShelf(folder)


def chat_model(folder: Path) -> str:
    """A folder that the catalog takes for a small model which answers questions; returns its id."""
    place = folder / "tiny-chat"
    place.mkdir(parents=True)
    parts = {"text_config": {"hidden_size": 8}, "vision_config": {"hidden_size": 8, "image_size": 32, "patch_size": 8}}
    (place / "config.json").write_text(json.dumps({"model_type": "smolvlm", **parts}))
    save_file({"weight": numpy.zeros(4, numpy.float32)}, place / "model.safetensors")
    return place.name
