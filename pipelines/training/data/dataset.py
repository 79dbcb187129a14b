"""The pictures that the denoiser learns from, drawn once with their captions: a set of scenes, a set of portraits.

scenes.json     a row a picture: kind, style, English captions, a Chinese one, thing numbers
pictures.npy    uint8 (N, 256, 256, 3)
small.npy       uint8 (N, 64, 64, 3), for the vision tower
latents.npy     float16 (N, 16, 8, 8), written when the autoencoder's encoder is final
"""

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pipelines.image.model.autoencoder import SpriteAutoencoder
from pipelines.training.corpus import captions, scenes
from pipelines.training.corpus.corpus import SIZE, Corpus
from pipelines.training.corpus.scene_sampler import Composer, Portraits
from pipelines.training.precision import autocast

STYLES = {"3d": 0.5, "flat": 0.25, "noto": 0.25}
COMPOSERS = {"scenes": Composer, "portraits": Portraits}
SMALL = 64
CHUNK = 250


def example(composer: Composer, number: int, seed: int) -> tuple[dict, np.ndarray]:
    """Example `number`: its row and its picture; the same for the same seed on every machine."""
    draw = np.random.default_rng((seed, number))
    scene, things = composer.scene(draw), composer.corpus.things
    english = [captions.english(draw, scene, things) for _ in range(3)]
    row = {
        "kind": scene.kind, "style": scene.style, "en": english, "zh": captions.chinese(draw, scene, things),
        "things": [p.thing for p in scene.placed],
    }  # fmt: skip
    return row, scenes.render(scene, composer.corpus)


def draw_chunk(
    folder: Path, target: Path, kind: str, begin: int, end: int, styles: dict[str, float], seed: int
) -> list[dict]:
    """Draw examples begin ... end - 1 into the opened arrays; one job of a worker process."""
    composer = COMPOSERS[kind](Corpus.open(folder), styles)
    pictures = np.load(target / "pictures.npy", mmap_mode="r+")
    small = np.load(target / "small.npy", mmap_mode="r+")
    rows = []
    for number in range(begin, end):
        row, picture = example(composer, number, seed)
        pictures[number] = picture
        small[number] = np.asarray(Image.fromarray(picture).resize((SMALL, SMALL), Image.Resampling.BOX))
        rows.append(row)
    return rows


def build(
    folder: Path, name: str, number: int, styles: dict[str, float] = STYLES, processes: int = 2, seed: int = 21
) -> Path:
    """Draw `number` examples into `folder`/`name`, a kind of COMPOSERS; does nothing when they are there."""
    target, unfinished = folder / name, folder / f"{name}.part"
    if target.exists():
        return target
    unfinished.mkdir(parents=True, exist_ok=True)
    for file, size in (("pictures.npy", SIZE), ("small.npy", SMALL)):
        shape = (number, size, size, 3)
        np.lib.format.open_memmap(unfinished / file, mode="w+", dtype=np.uint8, shape=shape).flush()
    begins = range(0, number, CHUNK)
    jobs = [(folder, unfinished, name, b, min(b + CHUNK, number), styles, seed) for b in begins]
    with ProcessPoolExecutor(processes) as pool:
        rows = [row for part in pool.map(draw_chunk, *zip(*jobs, strict=True)) for row in part]
    (unfinished / "scenes.json").write_text(json.dumps(rows, ensure_ascii=False))
    unfinished.rename(target)
    return target


@torch.inference_mode()
def encode(target: Path, model: SpriteAutoencoder, batch: int = 32) -> Path:
    """Write latents.npy (unscaled) of all pictures of a built set."""
    pictures = np.load(target / "pictures.npy", mmap_mode="r")
    latents = np.lib.format.open_memmap(
        target / "latents.part.npy", mode="w+", dtype=np.float16, shape=(len(pictures), 16, SIZE // 32, SIZE // 32)
    )
    for begin in range(0, len(pictures), batch):
        with autocast():
            encoded = model.encoder(to_tensor(list(pictures[begin : begin + batch])))
        latents[begin : begin + batch] = encoded.float().numpy().astype(np.float16)
    latents.flush()
    (target / "latents.part.npy").rename(target / "latents.npy")
    return target / "latents.npy"


def to_tensor(pictures: list[np.ndarray]) -> Tensor:
    """float32 (B, 3, H, W) in [-1, 1], channels last in memory."""
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()
    return (batch / 127.5 - 1).contiguous(memory_format=torch.channels_last)
