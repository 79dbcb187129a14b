"""The six pictures of the empty stage, made by the bundled model itself: `python -m studio.examples` makes them anew.

They go through the same engine, worker and gallery as anybody's picture, in a data folder that is thrown away.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from pipelines.assets import ASSETS
from pipelines.requests import ImageRequest
from studio.build import build
from studio.context import Studio
from studio.settings import Settings

FOLDER = ASSETS / "examples"
MODEL, OWNER, QUALITY = "sprite", "examples", 88
PROMPTS = (
    ("a red apple, 3d", 7),
    ("a castle", 7),
    ("a blue heart", 7),
    ("a guitar, flat", 7),
    ("a yellow car", 7),
    ("红色的房子", 7),
)  # prompt, seed


def main() -> int:
    """Write the pictures and `examples.json`; the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        studio = build(Settings(data_dir=Path(folder)))
        try:
            pictures = [_picture(studio, request) for request in _requests(studio)]
        finally:
            asyncio.run(studio.close())
    write(FOLDER, pictures)
    return 0


def write(folder: Path, pictures: list[bytes]) -> None:
    """One WebP a prompt, numbered, and the list that the page reads."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for number, (data, (prompt, seed)) in enumerate(zip(pictures, PROMPTS, strict=True), 1):
        Image.open(io.BytesIO(data)).save(folder / f"{number}.webp", quality=QUALITY, method=6)
        listed.append({"file": f"{number}.webp", "prompt": prompt, "seed": seed})
    (folder / "examples.json").write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _requests(studio: Studio) -> list[ImageRequest]:
    """With the defaults of the model: what a person gets who only types the prompt."""
    entry = studio.catalog.find(MODEL)
    names = ("width", "height", "steps", "guidance_scale", "sampler")
    defaults = {name: getattr(entry, name) for name in names}
    return [ImageRequest(prompt=prompt, seed=seed, model=MODEL, **defaults) for prompt, seed in PROMPTS]


def _picture(studio: Studio, request: ImageRequest) -> bytes:
    """The PNG of a request; ends the program with the sentence if it cannot be made."""
    (job,) = studio.engine.submit(OWNER, request)
    while (view := studio.engine.view(OWNER, job.id))["status"] not in ("done", "failed", "cancelled"):
        time.sleep(0.1)
    if view["status"] != "done":
        raise SystemExit(view["error"])
    return studio.gallery.file(OWNER, view["artifact"]["id"]).read_bytes()


if __name__ == "__main__":
    sys.exit(main())
