"""The corpus and its plans as one file of at most 60 MB, for a machine that cannot fetch and draw them itself.

A zip of WebP pictures and the small tables; opened, it becomes the cache folder that `corpus` and `plans` would build.
"""

import io
import json
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.training.corpus.corpus import SIZE, Corpus
from pipelines.training.data.plans import FILE

LARGEST = 60e6
QUALITY = 86


def to_webp(rgba: np.ndarray) -> bytes:
    """A premultiplied picture (256, 256, 4)."""
    held = io.BytesIO()
    Image.fromarray(rgba).save(held, "WEBP", quality=QUALITY, alpha_quality=90, method=4, exact=True)
    return held.getvalue()


def from_webp(data: bytes) -> np.ndarray:
    """The picture, premultiplied: no colour is brighter than its alpha allows."""
    rgba = np.array(Image.open(io.BytesIO(data)).convert("RGBA"))
    rgba[..., :3] = np.minimum(rgba[..., :3], rgba[..., 3:])
    return rgba


def write(folder: Path, target: Path, processes: int = 2) -> Path:
    """Pack the corpus and the plans in `folder`. Raises ValueError when the file is over 60 MB."""
    corpus = Corpus.open(folder)
    with zipfile.ZipFile(target, "w") as packed, ProcessPoolExecutor(processes) as pool:
        for name in ("things.json", "sprites.json"):
            packed.write(folder / "corpus" / name, name, zipfile.ZIP_DEFLATED)
        packed.write(folder / FILE, FILE)
        for number, data in enumerate(pool.map(to_webp, corpus.sprites, chunksize=32)):
            packed.writestr(f"{number:05}.webp", data)
    if (size := target.stat().st_size) > LARGEST:
        raise ValueError(f"{target}: {size / 1e6:.1f} MB, allowed are {LARGEST / 1e6:.0f}")
    return target


def unpack(file: Path, folder: Path, processes: int = 2) -> Path:
    """Make `folder` the cache folder that was packed; does nothing when there is a corpus in it."""
    target, unfinished = folder / "corpus", folder / "corpus.part"
    if target.exists():
        return folder
    unfinished.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file) as packed, ProcessPoolExecutor(processes) as pool:
        for name in ("things.json", "sprites.json"):
            (unfinished / name).write_bytes(packed.read(name))
        (folder / FILE).write_bytes(packed.read(FILE))
        number = len(json.loads(packed.read("sprites.json")))
        sprites = np.lib.format.open_memmap(
            unfinished / "sprites.npy", mode="w+", dtype=np.uint8, shape=(number, SIZE, SIZE, 4)
        )
        datas = (packed.read(f"{i:05}.webp") for i in range(number))
        for index, rgba in enumerate(pool.map(from_webp, datas, chunksize=32)):
            sprites[index] = rgba
        sprites.flush()
    unfinished.rename(target)
    return folder
