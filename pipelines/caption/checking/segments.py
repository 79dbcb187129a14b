"""The things of a picture that lie apart from each other on a plain background, each cut out.

What is meant by plain: alike from left to right, as one colour, a sky that grows lighter, or grass under it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

SIDE = 64  # cells across, in which parts are looked for
FAR = 48  # of 255: what differs by more from the background is a thing
LEAST = 0.015  # of the picture: sparks and shadows are less
NEAR = 1  # cells: pieces that lie nearer belong together
MOST = 4  # things; more are a pattern
MARGINS = (0.0, 0.06, 0.12)  # of a thing's side, around it

Array = np.ndarray[Any, Any]
Box = tuple[int, int, int, int]  # left, top, right, bottom, in cells, the latter two not within


def parts(cells: Array, least: float = LEAST) -> list[Box]:
    """Boxes of the connected parts of (H, W, 3) uint8 that differ from the background."""
    labels = connected(_distance(cells) > FAR)
    found, sizes = np.unique(labels[labels > 0], return_counts=True)
    return [_box(labels == label) for label, size in zip(found, sizes, strict=True) if size > least * labels.size]


def background(cells: Array) -> Array:
    """float32 (H, 1, 3): in each row the mean of both ends; where they differ, as a thing lies at one, what most of the
    border is."""
    ends: Array = cells[:, [0, -1]].astype(np.float32)
    border = np.median(np.concatenate([*cells[[0, -1]], *cells[:, [0, -1]].swapaxes(0, 1)]), 0)
    alike = np.abs(ends[:, 0] - ends[:, 1]).max(-1) < FAR / 2
    return np.where(alike[:, None], ends.mean(1), border.astype(np.float32))[:, None]


def connected(there: Array) -> Array:
    """A number for each part of a mask (H, W) whose cells touch, corners too; 0 outside."""
    label = np.where(there, np.arange(1, there.size + 1).reshape(there.shape), 0)
    while True:  # the largest number spreads through each part
        wide = np.pad(label, 1)
        near = [wide[y : y + label.shape[0], x : x + label.shape[1]] for y in range(3) for x in range(3)]
        grown = np.where(there, np.max(near, 0), 0)
        if np.array_equal(grown, label):
            return label
        label = grown


def things(picture: Image.Image) -> list[Image.Image]:
    """Two to `MOST` things, from left to right or else from top to bottom, each in the middle of a white square; none
    where there is one thing, or where they do not lie apart."""
    picture = picture.convert("RGB")
    cells = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))
    boxes = _together(parts(cells))
    if not 2 <= len(boxes) <= MOST:
        return []
    cleared = _cleared(picture)
    in_a_row = max(box[1] for box in boxes) < min(box[3] for box in boxes)
    return [_cut(cleared, box) for box in sorted(boxes, key=lambda box: box[0] if in_a_row else box[1])]


def framed(thing: Image.Image) -> list[Image.Image]:
    """A thing with each of `MARGINS` of white around it."""
    return [_squared(thing, round(max(thing.size) * (1 + 2 * margin))) for margin in MARGINS]


def _distance(cells: Array) -> Array:
    """How far each pixel is from the background, (H, W), 0 to 255."""
    return np.abs(cells.astype(np.float32) - background(cells)).max(-1)


def _cleared(picture: Image.Image) -> Image.Image:
    """The picture on white."""
    pixels = np.asarray(picture)
    there = np.clip((_distance(pixels) - FAR / 3) / (FAR / 3), 0, 1)[..., None]
    return Image.fromarray((pixels * there + 255 * (1 - there)).astype(np.uint8))


def _box(there: Array) -> Box:
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _together(boxes: list[Box]) -> list[Box]:
    """Boxes that touch, or nearly, as one."""
    for i, one in enumerate(boxes):
        for j, other in enumerate(boxes[:i]):
            if _touch(one, other):
                whole = (*np.minimum(one[:2], other[:2]).tolist(), *np.maximum(one[2:], other[2:]).tolist())
                return _together([box for k, box in enumerate(boxes) if k not in (i, j)] + [whole])
    return boxes


def _touch(one: Box, other: Box) -> bool:
    across = max(one[0], other[0]) - min(one[2], other[2])
    down = max(one[1], other[1]) - min(one[3], other[3])
    return across < NEAR and down < NEAR


def _cut(picture: Image.Image, box: Box) -> Image.Image:
    """What lies under a box of cells, in a white square."""
    wide, high = picture.width / SIDE, picture.height / SIDE
    part = picture.crop((round(box[0] * wide), round(box[1] * high), round(box[2] * wide), round(box[3] * high)))
    return _squared(part, max(part.size))


def _squared(part: Image.Image, side: int) -> Image.Image:
    square = Image.new("RGB", (side, side), "white")
    square.paste(part, ((side - part.width) // 2, (side - part.height) // 2))
    return square
