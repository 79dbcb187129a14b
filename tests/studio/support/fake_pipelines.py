"""A pipeline without a model, for tests of the worker: real process, real steps, and every misfortune on demand.

The prompt says what happens: `delay=0.02 oom_rows=2 nan_at=3 raise_at=1 hang_at=2 exit_at=1 short_at=1`, and with files
`exit_once=/path hang_once=/path stop_once=/path` (made as it happens, in the second step), `holds=/path` (waited for
from then on). `short` is oneDNN out of memory; after `ill_after=/path`, a file that is made, all fails in this process.
"""

from __future__ import annotations

import io
import math
import os
import signal
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from PIL import Image

from pipelines.base import Artifact, Piece
from pipelines.errors import ModelUnavailable, NotFinite, OutOfMemory, TriptychError
from pipelines.requests import Request
from studio.worker.scheduler import capacity

BATCHES = "batches"  # a file with a line for every step: the prompts that took it together


@dataclass
class FaultyState:
    request: Request
    steps_left: int
    steps_total: int
    rows: int
    notes: list[str] = field(default_factory=list)
    error: TriptychError | None = None
    picture: bytes | None = None
    gate: float = 0.5

    def wish(self, name: str, default: float = -1) -> float:
        return float(wishes(self.request).get(name, default))


def wishes(request: Request) -> dict[str, str]:
    return dict(word.split("=", 1) for word in request.prompt.split() if "=" in word)


class FaultyPipeline:
    """Equal sizes step together; the picture is one grey, the seed's last byte."""

    def __init__(self, folder: Path):
        self._folder = folder

    def check(self, request: Request) -> None:
        if "refuse" in request.prompt:
            raise TriptychError("This model refuses.")

    def prepare(self, request: Request, pictures: Mapping[str, bytes]) -> FaultyState:
        if "raise_prepare" in request.prompt:
            raise RuntimeError("a surprise")
        picture = pictures[request.start_picture] if request.start_picture else None
        notes = ["prompt cut"] if "long" in request.prompt else []
        rows = 2 if request.guidance_scale > 1 else 1
        return FaultyState(request, request.steps, request.steps, rows, notes=notes, picture=picture)

    def batch_key(self, state: FaultyState) -> Hashable:
        return state.request.width, state.request.height

    def bytes_per_row(self, key: Hashable) -> int:
        return 1000

    def step(self, states: Sequence[FaultyState]) -> None:
        if sum(state.rows for state in states) > min(state.wish("oom_rows", 1000) for state in states):
            raise OutOfMemory("The device is full.")
        for state in states:
            self._hold(state, state.steps_total - state.steps_left + 1)
            self._break(state, state.steps_total - state.steps_left + 1)
        time.sleep(max(state.wish("delay", 0) for state in states))
        with (self._folder / BATCHES).open("a") as file:
            file.write("|".join(str(state.request.seed) for state in states) + "\n")
        for state in states:
            state.steps_left -= 1
            if state.steps_total - state.steps_left == state.wish("nan_at"):
                state.error = NotFinite("The numbers of this picture have become infinite.")

    def _hold(self, state: FaultyState, step: int) -> None:
        gate, flag = wishes(state.request).get("holds"), wishes(state.request).get("hang_once")
        while gate and step > 1 and not Path(gate).exists():
            time.sleep(0.005)
        if flag and step == 2 and not Path(flag).exists():
            Path(flag).touch()
            time.sleep(3600)

    def _break(self, state: FaultyState, step: int) -> None:
        once = wishes(state.request).get("exit_once")
        if step == state.wish("exit_at") or (once and step == 2 and not Path(once).exists()):
            if once:
                Path(once).touch()
            os._exit(9)
        if (stops := wishes(state.request).get("stop_once")) and step == 2 and not Path(stops).exists():
            Path(stops).touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        if step == state.wish("short_at"):
            raise RuntimeError("could not create a primitive")
        if self._ill(state):
            raise RuntimeError("a surprise")
        if step == state.wish("raise_at"):
            raise RuntimeError("a surprise")
        if step == state.wish("hang_at"):
            time.sleep(3600)

    def _ill(self, state: FaultyState) -> bool:
        """From a certain moment on everything fails, until there is another process."""
        mark = wishes(state.request).get("ill_after")
        if mark and not Path(mark).exists():
            Path(mark).write_text(str(os.getpid()))
        return bool(mark) and Path(mark).read_text() == str(os.getpid())

    def pieces(self, state: FaultyState) -> list[Piece]:
        said = wishes(state.request).get("says")
        return [Piece("text/plain", said.encode(), {"text": said})] if said else []

    def foreseen(self, state: FaultyState) -> Image.Image:
        return Image.new("RGB", (8, 8))

    def weighs(self, state: FaultyState) -> bool:
        return "heard" in wishes(state.request)

    def turn(self, state: FaultyState, gate: float) -> None:
        state.gate = gate

    def preview(self, state: FaultyState) -> Image.Image:
        return Image.new("RGB", (64, 64), (state.steps_left % 256, 0, 0))

    def finish(self, state: FaultyState) -> Artifact:
        buffer = io.BytesIO()
        request = state.request
        Image.new("RGB", (request.width, request.height), (request.seed % 256,) * 3).save(buffer, "PNG")
        info = {"width": request.width, "height": request.height, "seed": request.seed}
        info |= {"start": len(state.picture or b""), "gate": state.gate}
        return Artifact("image", "image/png", buffer.getvalue(), info)


class FaultyAlignment:
    """The score is the wish of that name; "score=broken" breaks it. Texts are heard as wished, pictures as bright."""

    def judge(self, pictures: Sequence[Image.Image | None], texts: Sequence[str]) -> list[SimpleNamespace]:
        wished = [float(dict(word.split("=", 1) for word in text.split() if "=" in word)["score"]) for text in texts]
        return [SimpleNamespace(score=score, cosine=score / 4, vector=b"\0\x3c") for score in wished]

    def agree(self, pictures: Sequence, texts: Sequence[Sequence[str]], others: Sequence[Sequence]) -> list[list]:
        found = []
        for said, shown in zip(texts, others, strict=True):
            wished = [float(dict(w.split("=", 1) for w in text.split() if "=" in w)["heard"]) for text in said]
            wished += [image.convert("L").getpixel((0, 0)) / 255 for image in shown]
            found.append([SimpleNamespace(score=value, cosine=value / 4, heard=value) for value in wished])
        return found


class FaultyPool:
    memory_budget = 10**6

    def __init__(self, folder: Path):
        self._pipeline: FaultyPipeline | None = None
        self._folder = folder

    def missing(self, request: Request) -> bool:
        return False

    def fetch(self, model: str, progress: Callable[[str, float], None]) -> None:
        raise AssertionError(f"{model} is here")

    def pipeline(self, request: Request, progress: Callable[[str, float], None]) -> FaultyPipeline:
        if request.model == "missing":
            raise ModelUnavailable("The model missing is not on this disk.")
        if self._pipeline is None:
            progress("loading Faulty", 0.4)
            time.sleep(float(wishes(request).get("load", 0)))
            self._pipeline = FaultyPipeline(self._folder)
        return self._pipeline

    def scores(self, request: Request) -> bool:
        return "score" in wishes(request)

    def alignment(self) -> FaultyAlignment:
        return FaultyAlignment()

    def device_info(self) -> dict:
        return {"name": "nothing", "memory_used": 0, "memory_total": 10**9}


def unmeasured() -> None:
    """In a worker's process: how long a step takes is wished for here, and no sign of how many rows are useful."""
    capacity.SPREAD = math.inf


def open_model_pool(settings: dict) -> FaultyPool:
    unmeasured()
    return FaultyPool(Path(settings["folder"]))


def broken_shelf(settings: dict) -> FaultyPool:
    raise RuntimeError("no such device")


def slow_shelf(settings: dict) -> FaultyPool:
    time.sleep(3600)
    return FaultyPool(Path(settings["folder"]))
