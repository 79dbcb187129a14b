"""The six pictures of the empty stage, made by the bundled model itself:
`python -m pipelines.training.release.example_pictures` makes them anew.

Over the models alone, by the same steps as anybody's picture: no studio is started, nothing is stored but the pictures.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

from PIL import Image

from pipelines.assets import ASSETS
from pipelines.catalog.catalog import Catalog
from pipelines.requests import ImageRequest
from pipelines.runtime.model_pool import ModelPool

FOLDER = ASSETS / "examples"
MODEL, QUALITY = "sprite", 88
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
    catalog = Catalog()
    pool = ModelPool(catalog)
    write(FOLDER, [_picture(pool, request) for request in _requests(catalog)])
    return 0


def write(folder: Path, pictures: list[Image.Image]) -> None:
    """One WebP a prompt, numbered, and the list that the page reads."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for number, (picture, (prompt, seed)) in enumerate(zip(pictures, PROMPTS, strict=True), 1):
        picture.save(folder / f"{number}.webp", quality=QUALITY, method=6)
        listed.append({"file": f"{number}.webp", "prompt": prompt, "seed": seed})
    (folder / "examples.json").write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _requests(catalog: Catalog) -> list[ImageRequest]:
    """With the defaults of the model: what a person gets who only types the prompt."""
    entry = catalog.find(MODEL)
    names = ("width", "height", "steps", "guidance_scale", "sampler")
    defaults = {name: getattr(entry, name) for name in names}
    return [ImageRequest(prompt=prompt, seed=seed, model=MODEL, **defaults) for prompt, seed in PROMPTS]


def _picture(pool: ModelPool, request: ImageRequest) -> Image.Image:
    """The picture of a request; raises what the pipeline raises."""
    pipeline = pool.pipeline(request)
    state = pipeline.prepare(request, {})
    while state.steps_left and not state.error:
        pipeline.step([state])
    return Image.open(io.BytesIO(pipeline.finish(state).data))


if __name__ == "__main__":
    sys.exit(main())
