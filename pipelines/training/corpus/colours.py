"""Colours by name: recolour a sprite so that the word is true of it, and tell a picture's dominant colour."""

import numpy as np
from PIL import Image

HUES = {"red": 0, "orange": 28, "yellow": 50, "green": 120, "blue": 215, "purple": 275, "pink": 330}
# Half-way points between the names' hues; what lies outside every range (cyan) has no name here.
RANGES = {
    "red": (-15, 14), "orange": (14, 40), "yellow": (40, 66), "green": (75, 165), "blue": (190, 248),
    "purple": (252, 300), "pink": (300, 345),
}  # fmt: skip
# Light colours: the same hue in the dark is called brown, olive or maroon.
LIGHT = {"orange": 150, "yellow": 150, "pink": 140}
SATURATED = 70
ENOUGH = 0.45


def hsv(rgb: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) RGB to HSV, each 0 to 255. Hue and saturation are the same for premultiplied colours."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(rgb)).convert("HSV"))


def dominant(rgb: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Dominant hue in degrees of the saturated pixels, and the share (0 to 1) that they have of `weight` (H, W)."""
    space = hsv(rgb)
    heavy = weight * (space[..., 1] > SATURATED) * (space[..., 2] > 50)
    histogram = np.bincount(space[..., 0].ravel() // 8, heavy.ravel(), minlength=32)
    smooth = 2 * histogram + np.roll(histogram, 1) + np.roll(histogram, -1)
    return float((smooth.argmax() * 8 + 4) * 360 / 256), float(heavy.sum() / max(1e-6, weight.sum()))


def brightness(rgb: np.ndarray, weight: np.ndarray) -> float:
    """Mean value (0 to 255) of the saturated pixels, by `weight` (H, W); 0 where there are none."""
    space = hsv(rgb)
    heavy = weight * (space[..., 1] > SATURATED) * (space[..., 2] > 50)
    return float((space[..., 2] * heavy).sum() / max(1e-6, heavy.sum()))


def colour_of(rgb: np.ndarray, weight: np.ndarray) -> str | None:
    """The colour that a person would name the picture's main one: dark orange is brown, and so has no name here."""
    name = name_of(dominant(rgb, weight)[0])
    return None if brightness(rgb, weight) < LIGHT.get(name, 0) else name


def name_of(hue: float) -> str | None:
    """The colour's name for a hue in degrees, None between names."""
    for name, (low, high) in RANGES.items():
        if low <= hue < high or low <= hue - 360 < high:
            return name
    return None


def can_recolour(sprite: np.ndarray) -> bool:
    """Whether most of the sprite is bright and saturated enough for its hue to carry a colour's name."""
    return dominant(sprite[..., :3], sprite[..., 3] / 255.0)[1] > ENOUGH


def can_become(sprite: np.ndarray, colour: str) -> bool:
    """Whether the sprite, recoloured, would be called by that colour: a dark thing turned orange comes out brown."""
    least = LIGHT.get(colour, 0)
    return not least or brightness(recolour(sprite, colour)[..., :3], sprite[..., 3] / 255.0) >= least


def recolour(sprite: np.ndarray, colour: str) -> np.ndarray:
    """The sprite (H, W, 4) with its dominant hue, 50 degrees to both sides, moved to `colour`; the rest stays."""
    space = hsv(sprite[..., :3]).astype(np.int16)
    hue, _ = dominant(sprite[..., :3], sprite[..., 3] / 255.0)
    off = (space[..., 0] - round(hue * 256 / 360) + 128) % 256 - 128
    near = (np.abs(off) < 36) & (space[..., 1] > 25)
    target = round(HUES[colour] * 256 / 360) + off // 3
    space[..., 0] = np.where(near, target % 256, space[..., 0])
    if colour == "pink":  # pink is a light colour: half the saturation, none of the shadow
        space[..., 1] = np.where(near, space[..., 1] * 6 // 10, space[..., 1])
    moved = Image.fromarray(space.astype(np.uint8), "HSV").convert("RGB")
    return np.dstack([np.asarray(moved), sprite[..., 3]])
