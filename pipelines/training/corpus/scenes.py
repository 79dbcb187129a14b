"""Scenes as plain values, and how they are drawn from sprites. Captions are made from the same values, so they are
true by construction: nothing is ever said of a picture but what it was composed from."""

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipelines.training.corpus.colours import recolour
from pipelines.training.corpus.corpus import HELD_OUT, SIZE, Corpus


@dataclass(frozen=True)
class Placed:
    """A thing (its number in the corpus) at `x`, `y` (centre) and `side`, in pixels; `colour` if recoloured."""

    thing: int
    x: float
    y: float
    side: float
    colour: str | None = None


@dataclass(frozen=True)
class Background:
    """`kind` is "white", "plain", "gradient", "night" or "grass"; `name` a colour word when one is true of it."""

    kind: str = "white"
    name: str | None = None
    top: tuple[int, int, int] = (255, 255, 255)
    bottom: tuple[int, int, int] = (255, 255, 255)


@dataclass(frozen=True)
class Scene:
    """`kind`: "single", "count", "pair" (with `relation` "left", "above", "on", "size" or None) or "between"."""

    kind: str
    style: str
    placed: tuple[Placed, ...]
    background: Background = Background()
    relation: str | None = None


BACKGROUNDS = {
    "red": (226, 64, 60), "orange": (250, 160, 60), "yellow": (252, 224, 100), "green": (110, 190, 100),
    "blue": (80, 150, 230), "purple": (150, 100, 210), "pink": (250, 170, 200), "grey": (170, 170, 175),
    "black": (16, 16, 18),
}  # fmt: skip


def unseen(kind: str, things: list[str]) -> bool:
    """Whether a composition of these things (keys) is held out of training: 5 % by hash, order aside."""
    if len(set(things)) < 2:
        return False
    digest = hashlib.sha256(f"{kind}/{'/'.join(sorted(things))}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT * 2**32


def draw_background(draw: np.random.Generator, white: float = 0.72) -> Background:
    """Mostly white; else a named colour, a pale gradient, a night sky or grass."""
    if draw.random() < white:
        return Background()
    kind = draw.choice(["plain", "gradient", "night", "grass"], p=[0.5, 0.2, 0.15, 0.15])
    if kind == "plain":
        name = str(draw.choice(list(BACKGROUNDS)))
        return Background("plain", name, BACKGROUNDS[name], BACKGROUNDS[name])
    if kind == "gradient":
        top, bottom = (tuple(int(v) for v in draw.integers(170, 256, 3)) for _ in range(2))
        return Background("gradient", None, top, bottom)
    if kind == "night":
        return Background("night", None, (10, 14, 48), (44, 40, 100))
    return Background("grass", None, (170, 215, 250), (214, 236, 250))


def paint(background: Background, size: int = SIZE) -> np.ndarray:
    """The background as a float32 canvas (size, size, 3), 0 to 255."""
    t = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    top, bottom = np.float32(background.top), np.float32(background.bottom)
    canvas = np.broadcast_to((1 - t) * top + t * bottom, (size, size, 3)).copy()
    if background.kind == "night":  # always the same stars: noise would only cost the autoencoder
        for x, y in np.random.default_rng(7).integers(4, SIZE - 4, (18, 2)):
            star(canvas, x * size / SIZE, y * size / SIZE, 3 * size / SIZE)
    if background.kind == "grass":
        canvas[int(0.68 * size) :] = (104, 180, 72)
    return canvas


def star(canvas: np.ndarray, x: float, y: float, side: float) -> None:
    """A square of light around `x`, `y`; what is less than a pixel is a faint pixel."""
    width, light = max(1, round(side)), min(1.0, side**2)
    left, top = (int(v - width / 2 + 0.5) for v in (x, y))
    spot = canvas[top : top + width, left : left + width]
    spot += light * (np.float32((250, 240, 190)) - spot)


def place(canvas: np.ndarray, sprite: np.ndarray, centre: tuple[float, float], side: float) -> None:
    """Draw premultiplied `sprite` (S, S, 4) on `canvas`, its square `side` pixels wide around `centre` (x, y)."""
    side = round(side)
    picture = sprite if side == sprite.shape[0] else resize(sprite, side)
    left, top = round(centre[0] - side / 2), round(centre[1] - side / 2)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(canvas.shape[1], left + side), min(canvas.shape[0], top + side)
    if x0 >= x1 or y0 >= y1:
        return
    inside = picture[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)
    region = canvas[y0:y1, x0:x1]
    region *= 1 - inside[..., 3:] / 255
    region += inside[..., :3]


def resize(sprite: np.ndarray, side: int) -> np.ndarray:
    """Premultiplied RGBA resized; "RGBX" keeps PIL from premultiplying a second time."""
    picture = Image.frombytes("RGBX", sprite.shape[1::-1], np.ascontiguousarray(sprite).tobytes())
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC)).reshape(side, side, 4)


def finish(canvas: np.ndarray) -> np.ndarray:
    """uint8 (size, size, 3) from a float canvas."""
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def render(scene: Scene, corpus: Corpus, size: int = SIZE) -> np.ndarray:
    """The picture of a scene, uint8 (size, size, 3)."""
    canvas, scale = paint(scene.background, size), size / SIZE
    for item in scene.placed:
        sprite = corpus.sprites[corpus.index[item.thing, scene.style]]
        if item.colour:
            sprite = recolour(sprite, item.colour)
        place(canvas, sprite, (item.x * scale, item.y * scale), item.side * scale)
    return finish(canvas)
