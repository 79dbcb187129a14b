"""Models "far/NAME" that come when the test says so, in this process or in a worker, by files in the shelf's folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from pipelines.errors import ModelUnavailable
from pipelines.requests import Request
from tests.studio.support.fake_pipelines import FaultyPool, unmeasured

BROKEN = "The download of it broke off."


class FarPool(FaultyPool):
    """NAME.part: how far its download is. NAME.come and NAME.broken: how it ends. NAME.log: what was done."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self._near: set[str] = set()

    def missing(self, request: Request) -> bool:
        return request.model.startswith("far/") and request.model not in self._near

    def fetch(self, model: str, progress: Callable[[str, float], None]) -> None:
        file = self._folder / model.removeprefix("far/")
        note(file, "begun")
        try:
            while not file.with_suffix(".come").exists():
                if file.with_suffix(".broken").exists():
                    raise ModelUnavailable(BROKEN)
                part = file.with_suffix(".part")
                progress(f"downloading {model}", float(part.read_text() or 0) if part.exists() else 0.0)
                time.sleep(0.005)
            self._near.add(model)
        finally:
            note(file, "ended")


def note(file: Path, word: str) -> None:
    with file.with_suffix(".log").open("a") as log:
        log.write(f"{word}\n")


def log_of(folder: Path, name: str) -> list[str]:
    file = folder / f"{name}.log"
    return file.read_text().split() if file.exists() else []


def open_model_pool(settings: dict) -> FarPool:
    unmeasured()
    return FarPool(Path(settings["folder"]))
