"""The picture that a job begins with, in pixels: cropped, grown, masked, and what the result is pasted into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from pipelines.colours import rgb
from pipelines.errors import InvalidRequest
from pipelines.image.start import masks
from pipelines.pictures import given, open_upload
from pipelines.requests import ImageRequest, Margins

Box = tuple[int, int, int, int]
GRID = 8  # sizes of requests are multiples of it
FADE = 8  # the margin of a grown picture: its edges drawn out, blurred over so many pixels


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """start: RGB in the request's size, what denoising starts from. mask: black and white, the same size; None: all of
    it may change. whole: what the result is pasted into, where `soft` (the same size) is not black; box: its place.
    """

    start: Image.Image
    mask: Image.Image | None = None
    whole: Image.Image | None = None
    soft: Image.Image | None = None
    box: Box | None = None

    def finished(self, image: Image.Image) -> Image.Image:
        """The result in its place. What was not masked is what came, to the last bit."""
        if self.whole is None or self.soft is None:
            return image
        box = self.box or (0, 0, *self.whole.size)
        size = (box[2] - box[0], box[3] - box[1])
        fitting = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
        whole = self.whole.copy()
        whole.paste(fitting, box, self.soft.crop(box))
        return whole


def prepared(request: ImageRequest, pictures: Mapping[str, bytes], notes: list[str]) -> Canvas | None:
    """None without a start picture. Raises InvalidRequest, BadUpload."""
    if request.beginning is None:
        return None
    field = "start_picture" if request.start_picture else "parts"
    picture = rgb(open_upload(given(pictures, request.beginning, field), "start picture"), notes)
    mask = None
    if request.mask:
        drawn = open_upload(given(pictures, request.mask, "mask"), "mask")
        mask = masks.opened(drawn, picture.size, notes)
    if request.expand.any:
        picture, mask = _cut(picture, mask, notes)
        picture, mask = grown(picture, mask, request)
        return Canvas(picture, mask, picture, masks.softened(mask, request.mask_blur))
    if mask is not None and masks.everything(mask):
        notes.append("The mask is all white: the whole picture may change.")
        mask = None
    if mask is not None and request.only_masked:
        return _close(picture, mask, request)
    size = (request.width, request.height)
    picture = fitted(picture, size)
    if mask is None:
        return Canvas(picture)
    mask = masks.fitted(mask, size)
    return Canvas(picture, mask, picture, masks.softened(mask, request.mask_blur))


def fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """In exactly that size: scaled to cover it, what stands over is cut off evenly."""
    return image if image.size == size else ImageOps.fit(image, size, Image.Resampling.LANCZOS)


def _cut(picture: Image.Image, mask: Image.Image | None, notes: list[str]) -> tuple[Image.Image, Image.Image | None]:
    """A picture that is to grow, and its mask, less the few pixels at its edges that no size has room for."""
    over = [side % GRID for side in picture.size]
    if not any(over) or min(picture.size) < GRID:
        return picture, mask
    size = (picture.width - over[0], picture.height - over[1])
    notes.append(f"The start picture was cut from {picture.width} x {picture.height} to {size[0]} x {size[1]}.")
    box = (over[0] // 2, over[1] // 2, over[0] // 2 + size[0], over[1] // 2 + size[1])
    return picture.crop(box), mask.crop(box) if mask else None


def grown(picture: Image.Image, mask: Image.Image | None, request: ImageRequest) -> tuple[Image.Image, Image.Image]:
    """The picture with its margins, and the mask of what is to be made there. Raises InvalidRequest."""
    by = request.expand
    size = (picture.width + by.left + by.right, picture.height + by.top + by.bottom)
    if size != (request.width, request.height):
        must = f"{size[0]} x {size[1]}, which is the start picture, cut to multiples of {GRID}, with its margins"
        raise InvalidRequest("size", f"{request.width} x {request.height}", must)
    larger = Image.new("L", size, 255)
    larger.paste(mask or Image.new("L", picture.size, 0), (by.left, by.top))
    return _drawn_out(picture, by), larger


def _drawn_out(picture: Image.Image, by: Margins) -> Image.Image:
    """Edges drawn out into the margins, and blurred there: colours to begin with, without streaks."""
    sides = ((by.top, by.bottom), (by.left, by.right), (0, 0))
    larger = Image.fromarray(np.pad(np.asarray(picture), sides, mode="edge"))
    larger = larger.filter(ImageFilter.GaussianBlur(FADE))
    larger.paste(picture, (by.left, by.top))
    return larger


def _close(picture: Image.Image, mask: Image.Image, request: ImageRequest) -> Canvas:
    """Only what is masked and a little around it, as large as the request says."""
    from diffusers.image_processor import VaeImageProcessor

    size = (request.width, request.height)
    box = VaeImageProcessor.get_crop_region(mask, *size, pad=request.mask_padding)
    start = picture.crop(box).resize(size, Image.Resampling.LANCZOS)
    near = masks.something(masks.resized(mask.crop(box), size))
    return Canvas(start, near, picture, masks.softened(mask, request.mask_blur), box)
