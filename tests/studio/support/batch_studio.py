"""A studio with batches and a captioner that describes, for tests of captions."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from pipelines.requests import CaptionRequest
from studio.batches.service import ANY_PICTURE, Batches
from tests.studio.support.studio_fixture import Rig

ME = "me"


def picture(colour: object = "red", size: tuple[int, int] = (40, 30), form: str = "PNG", **more: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, form, **more)
    return file.getvalue()


class Desk(Rig):
    """A rig with batches, over the describing captioner."""

    def __init__(self, folder: Path):
        super().__init__(folder, shelf="tests.studio.support.fake_captioner:open_model_pool", data_dir=str(folder))
        self.batches = Batches(folder, self.store, self.gallery, self.engine._catalog, self.engine)

    def __enter__(self) -> Desk:
        super().__enter__()
        self.batches.start()
        return self

    def __exit__(self, *of: object) -> None:
        self.batches.stop()
        super().__exit__(*of)

    def made(self, *names: str, colours: tuple = ("red", "green", "blue")) -> str:
        id = self.batches.create(ME, "set").id
        for i, name in enumerate(names):
            self.batches.add(ME, id, name, picture(colours[i % len(colours)], (40 + i, 30)))
        return id

    def run(self, id: str, **options: object) -> None:
        self.batches.run(ME, id, CaptionRequest(picture=ANY_PICTURE), **options)

    def over(self, id: str, seconds: float = 120) -> dict[str, object]:
        end = time.monotonic() + seconds
        while self.batches.get(ME, id).running:
            assert time.monotonic() < end, self.batches.rows.counts(id)
            time.sleep(0.02)
        return self.items(id)

    def items(self, id: str) -> dict:
        return {item.name: item for item in self.batches.rows.items(id)}


def soon(what: Callable[[], object], seconds: float = 60) -> object:
    """What is there before the time is over."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found
