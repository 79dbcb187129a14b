"""Text in EXIF, where JPEG and WebP files keep what PNG keeps in text chunks."""

from __future__ import annotations

from PIL import Image
from PIL.ExifTags import IFD, Base

_CODE = 8  # bytes at the start of UserComment that name its encoding (Exif 2.32, 4.6.5)


def user_texts(exif: Image.Exif) -> dict[str, str]:
    """UserComment as `parameters`, and the tags that ComfyUI fills with `name:JSON`, by that name."""
    found = {}
    comment = exif.get_ifd(IFD.Exif).get(Base.UserComment)
    if isinstance(comment, bytes) and (text := comment_text(comment)):
        found["parameters"] = text
    elif isinstance(comment, str) and comment:
        found["parameters"] = comment
    for tag in (Base.Make, Base.Model, Base.ImageDescription):
        name, colon, text = str(exif.get(tag, "")).partition(":")
        if colon and name.lower() in ("prompt", "workflow"):
            found[name.lower()] = text
    return found


def comment_text(data: bytes) -> str:
    """The text of a UserComment: its encoding is named in the first 8 bytes, its byte order nowhere."""
    code, body = data[:_CODE], data[_CODE:]
    if code.startswith(b"UNICODE"):
        # Latin text has its zero bytes in front when big-endian; for other scripts the side with fewer values wins
        big = len(set(body[0::2])) <= len(set(body[1::2]))
        return body.decode("utf-16-be" if big else "utf-16-le", "replace").strip("\0\ufeff")
    if code.startswith((b"ASCII", b"JIS", b"\0")):
        return body.decode("utf-8", "replace").strip("\0")
    return data.decode("utf-8", "replace").strip("\0")
