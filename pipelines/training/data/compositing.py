"""Pictures composed as tensors, a whole batch at once, on any device: sprites placed, turned, recoloured, laid over a
background. `scenes` draws the same with PIL, one picture after another."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SIZE = 256  # pixels that positions are given in, whatever is drawn
GRASS_LINE, GRASS = 0.68, (104.0, 180.0, 72.0)


@dataclass
class Layers:
    """What lies where in each picture, the lowest first. K: things of a picture.

    sprites: premultiplied RGBA (B, K, 4, H, W), 0 to 1; a thing that is not there is all zero. x, y: centres, and side,
    in pixels of a picture of 256, (B, K). turn: radians. mirrored: 1 or 0.
    """

    sprites: Tensor
    x: Tensor
    y: Tensor
    side: Tensor
    turn: Tensor | None = None
    mirrored: Tensor | None = None


def compose(layers: Layers, canvas: Tensor, left: Tensor | float = 0.0, top: Tensor | float = 0.0) -> Tensor:
    """Lay the things over `canvas` (B, 3, h, w), 0 to 1, which is the window of the picture that begins at `left` and
    `top` (B,), a pixel of it one of the 256. Sprites should be at most twice as wide as they are drawn."""
    for k in range(layers.sprites.shape[1]):
        drawn = F.grid_sample(layers.sprites[:, k], positions(layers, k, canvas, left, top), align_corners=False)
        canvas = drawn[:, :3] + canvas * (1 - drawn[:, 3:])
    return canvas


def positions(layers: Layers, k: int, canvas: Tensor, left: Tensor | float, top: Tensor | float) -> Tensor:
    """Where in its sprite each pixel of the window looks, (B, h, w, 2), -1 to 1."""
    height, width = canvas.shape[2:]
    zero = torch.zeros_like(layers.x[:, k])
    turn = zero if layers.turn is None else layers.turn[:, k]
    flip = zero + 1 if layers.mirrored is None else 1 - 2 * layers.mirrored[:, k]
    scale = 2 / layers.side[:, k]
    # From the window's own -1 to 1, to pixels around the thing's centre, turned back, to the sprite's -1 to 1.
    across, down = left + width / 2 - layers.x[:, k], top + height / 2 - layers.y[:, k]
    cos, sin = torch.cos(turn) * scale, torch.sin(turn) * scale
    rows = [
        flip * cos * width / 2, flip * sin * height / 2, flip * (cos * across + sin * down),
        -sin * width / 2, cos * height / 2, cos * down - sin * across,
    ]  # fmt: skip
    return F.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), [len(zero), 1, height, width], align_corners=False)


def gradient(upper: Tensor, lower: Tensor, size: int, top: Tensor | float = 0.0, whole: int = SIZE) -> Tensor:
    """Backgrounds (B, 3, size, size) from one colour (B, 3) to another, of a picture `whole` pixels high, from its row
    `top` (B,) on."""
    rows = torch.arange(size, device=upper.device) + torch.as_tensor(top, device=upper.device).view(-1, 1)
    share = (rows / (whole - 1)).clamp(0, 1)[:, None, :, None]
    blend = upper[:, :, None, None] * (1 - share) + lower[:, :, None, None] * share
    return blend.expand(len(upper), 3, size, size)


def hsv(rgb: Tensor) -> Tensor:
    """RGB (..., 3, H, W) to hue, saturation and value, each 0 to 1, as Pillow's HSV."""
    high, low = rgb.amax(-3), rgb.amin(-3)
    range_ = (high - low).clamp(min=1e-6)
    r, g, b = rgb.unbind(-3)
    hue = torch.where(high == r, (g - b) / range_, torch.where(high == g, 2 + (b - r) / range_, 4 + (r - g) / range_))
    return torch.stack([(hue / 6) % 1, (high - low) / high.clamp(min=1e-6), high], -3)


def rgb(space: Tensor) -> Tensor:
    """The way back."""
    hue, saturation, value = space.unbind(-3)
    parts = []
    for offset in (5.0, 3.0, 1.0):
        k = (offset + hue * 6) % 6
        parts.append(value * (1 - saturation * torch.minimum(k, 4 - k).clamp(0, 1)))
    return torch.stack(parts, -3)


def recolour(sprites: Tensor, own: Tensor, wanted: Tensor) -> Tensor:
    """Premultiplied sprites (N, 4, H, W) with the hue `own` (N,), 50 degrees to both sides, moved to `wanted` (N,).

    Hues are 0 to 1; where `wanted` is not a number the sprite stays. As `colours.recolour`, but for pink's light.
    """
    space = hsv(sprites[:, :3])
    off = (space[:, 0] - own[:, None, None] + 0.5) % 1 - 0.5
    near = (off.abs() < 36 / 256) & (space[:, 1] > 25 / 255) & ~wanted.isnan()[:, None, None]
    hue = torch.where(near, (wanted.nan_to_num()[:, None, None] + off / 3) % 1, space[:, 0])
    return torch.cat([rgb(torch.stack([hue, space[:, 1], space[:, 2]], 1)), sprites[:, 3:]], 1)


def spin_hue(sprites: Tensor, angle: Tensor) -> Tensor:
    """Premultiplied sprites (N, 4, H, W) with all colours turned around grey by `angle` (N,), radians."""
    cos, sin, third = torch.cos(angle), torch.sin(angle), 1 / 3
    a, b, c = (
        cos + (1 - cos) * third,
        (1 - cos) * third - sin * math.sqrt(third),
        (1 - cos) * third + sin * math.sqrt(third),
    )
    matrix = torch.stack([a, b, c, c, a, b, b, c, a], 1).view(-1, 3, 3)
    colour = torch.einsum("nij,njhw->nihw", matrix, sprites[:, :3])
    return torch.cat([torch.minimum(colour.clamp(min=0), sprites[:, 3:]), sprites[:, 3:]], 1)
