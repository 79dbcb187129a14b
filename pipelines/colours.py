"""Any picture as models were trained on them: RGB in sRGB, 8 bits a channel, what is transparent over white. No torch.

A colour profile (ICC.1:2022) says what a picture's numbers mean: (60, 200, 60) of a camera's Adobe RGB is (0, 201, 37)
here. A profile that is damaged, or of another kind than the picture, does no harm: the numbers are taken as they are.
"""

from __future__ import annotations

import io
from itertools import product

from PIL import Image, ImageChops, ImageCms

MOST_PROFILE = 4 * 2**20  # bytes; those of printing presses have two or three million
SAME = 2  # of 255: profiles of sRGB itself differ by their rounding
_LATTICE = bytes(level for colour in product(range(0, 256, 51), repeat=3) for level in colour)
_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # of a profile -> the mode of the pictures it is for


def rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """The picture in RGB. What had to be changed is added to `notes`, as sentences."""
    alpha = _alpha(image)
    base = _eight_bits(image, notes)
    if base.mode == "CMYK":
        notes.append("CMYK became RGB.")
    plain = _in_srgb(base, image.info.get("icc_profile"), notes)
    if alpha is not None:
        notes.append("Transparent parts became white.")
        plain = Image.composite(plain, Image.new("RGB", plain.size, "white"), alpha)
    plain.info = {}  # a profile that stayed would be stored with the picture
    return plain


def _alpha(image: Image.Image) -> Image.Image | None:
    """How opaque it is, where it is not everywhere: a canvas gives a channel of that also where nothing is clear."""
    if not image.has_transparency_data:
        return None
    alpha = image.convert("RGBA").getchannel("A")
    return None if alpha.getextrema()[0] == 255 else alpha


def _eight_bits(image: Image.Image, notes: list[str]) -> Image.Image:
    """RGB, L or CMYK."""
    if image.mode.startswith("I"):  # `convert` would clip 16 bits instead of scaling them
        notes.append("16 bits a channel became 8.")
        return image.convert("I").point(lambda value: value / 257).convert("L")
    if image.mode in ("RGB", "L", "CMYK"):
        return image
    if image.mode in ("1", "LA", "La"):
        return image.convert("LA").getchannel("L")
    return (image.convert("RGBA") if image.has_transparency_data else image).convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    if not profile:
        return image.convert("RGB")
    try:
        transform, mode = _transform(profile, image.mode)
        image = image.convert(mode)
        if mode == "RGB" and _changes_nothing(transform):
            return image
        converted = ImageCms.applyTransform(image, transform)
    except Exception:  # whatever the library says of a damaged profile, or of one that is for something else
        notes.append("The picture's colour profile cannot be used; its colours were taken as sRGB.")
        return image.convert("RGB")
    notes.append("The colours were converted from the picture's own profile to sRGB.")
    return converted


def _transform(profile: bytes, mode: str) -> tuple[ImageCms.ImageCmsTransform, str]:
    """Its way to sRGB, and the mode of picture that it takes. Raises ValueError, PyCMSError."""
    if len(profile) > MOST_PROFILE:
        raise ValueError("no profile is that long")
    opened = ImageCms.getOpenProfile(io.BytesIO(profile))
    wanted = _SPACES.get(opened.profile.xcolor_space, "")
    if wanted != mode and (mode, wanted) != ("L", "RGB"):
        raise ValueError("for another kind of picture")
    return ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), wanted, "RGB"), wanted


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether it is one of sRGB: then the picture is better left as it is, to the last bit."""
    lattice = Image.frombytes("RGB", (len(_LATTICE) // 3, 1), _LATTICE)
    moved = ImageChops.difference(lattice, ImageCms.applyTransform(lattice, transform))
    return max(high for _, high in moved.getextrema()) <= SAME
