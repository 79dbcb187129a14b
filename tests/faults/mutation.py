"""Valid small files of every kind that the studio takes, and what chance makes of them."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

import av
import numpy as np
from PIL import Image, PngImagePlugin

PICTURES = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "ICO", "MPO", "AVIF", "APNG")
SOUNDS = {"wav": "pcm_s16le", "mp3": "mp3", "ogg": "libopus", "flac": "flac", "m4a": "aac", "webm": "libopus"}
DOCUMENTS = ("txt", "md", "epub", "zip")
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@cache
def valid(kind: str) -> tuple[tuple[str, bytes], ...]:
    """(name, content) of files that are taken as they are. kind: "picture", "sound" or "document"."""
    made = {"picture": (PICTURES, _picture), "sound": (tuple(SOUNDS), _sound), "document": (DOCUMENTS, _document)}
    names, make = made[kind]
    return tuple((f"a.{name.lower()}", make(name)) for name in names)


def mutated(kind: str, chance: random.Random) -> tuple[str, bytes]:
    """One of them with some damage, under its own name or under that of another."""
    name, data = chance.choice(valid(kind))
    for _ in range(chance.choice((1, 1, 2, 5))):
        data = chance.choice(DAMAGES)(data, chance)
    if data.startswith(b"\x89PNG") and chance.random() < 0.7:
        data = _with_checks(data)
    other, _ = chance.choice(valid(kind))
    return (name if chance.random() < 0.8 else other), data


# --- files ---


def _picture(form: str) -> bytes:
    out = io.BytesIO()
    gradient = np.linspace(0, 255, 40 * 30 * 3).reshape(30, 40, 3).astype(np.uint8)
    image, more = Image.fromarray(gradient), {}
    if form in ("PNG", "APNG"):
        info = PngImagePlugin.PngInfo()
        info.add_text("parameters", "a fox\nNegative prompt: x\nSteps: 20, Sampler: Euler a, Seed: 1, Size: 512x512")
        info.add_itxt("prompt", '{"3": {"class_type": "KSampler", "inputs": {"seed": 5}}}', zip=True)
        more = {"pnginfo": info}
    if form in ("JPEG", "WEBP", "MPO", "TIFF"):
        exif = Image.Exif()
        exif[0x0112], exif[0x010E] = 6, "a fox\nSteps: 20, Seed: 1"
        more = {"exif": exif}
    if form in ("GIF", "APNG", "MPO", "WEBP"):
        more |= {"save_all": True, "append_images": [image.rotate(180)]}
    image.save(out, "PNG" if form == "APNG" else form, **more)
    return out.getvalue()


def _sound(form: str) -> bytes:
    out = io.BytesIO()
    rate = 48000 if SOUNDS[form] == "libopus" else 16000
    wave = (np.sin(np.arange(rate * 5 // 4) / 20) * 9000).astype(np.int16)[None]
    with av.open(out, "w", format="ipod" if form == "m4a" else form) as file:
        stream = file.add_stream(SOUNDS[form], rate=rate, layout="mono")
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate, frame_size=stream.frame_size)
        frame = av.AudioFrame.from_ndarray(wave, "s16", "mono")
        frame.rate = rate
        for each in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(each))
        file.mux(stream.encode(None))
    return out.getvalue()


def _document(form: str) -> bytes:
    if form == "zip":
        return _zipped({"a.png": _picture("PNG"), "a.txt": b"a square", "b/c.jpg": _picture("JPEG")})
    text = "# One\n\nIt was a dark night. « Où ? » 狐狸\n\n## Two\n\nAnd [on](http://x) it *went*.\n"
    if form != "epub":
        return text.encode()
    container = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path=' \
                '"o.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'  # fmt: skip
    package = '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">' \
              '<dc:title>Night</dc:title></metadata><manifest><item id="a" href="a.xhtml" media-type=' \
              '"application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>'  # fmt: skip
    chapter = f'<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>One</h1><p>{text}</p></body></html>'
    files = {"mimetype": b"application/epub+zip", "META-INF/container.xml": container.encode(),
             "o.opf": package.encode(), "a.xhtml": chapter.encode()}  # fmt: skip
    return _zipped(files)


def _zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return out.getvalue()


# --- damage ---


def _flip(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 4, 30))):
        if out:
            out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _number(data: bytes, chance: random.Random) -> bytes:
    """Where a length, a size or a count may be."""
    form = chance.choice(("<H", ">H", "<I", ">I"))
    size = struct.calcsize(form)
    at = chance.randrange(max(1, min(len(data), 400) - size))
    value = chance.choice(NUMBERS) & (256**size - 1)
    return data[:at] + struct.pack(form, value) + data[at + size :]


def _removed(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice((1, 7, 100)) :]


def _inserted(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.choice((1, 8, 300))) + data[at:]


def _repeated(data: bytes, chance: random.Random) -> bytes:
    """A part of it many times: chunks, frames, entries, tags."""
    at = chance.randrange(len(data) + 1)
    part = data[at : at + chance.choice((4, 40, 400))]
    return data[:at] + part * chance.choice((2, 50, 500)) + data[at:]


def _spliced(data: bytes, chance: random.Random) -> bytes:
    """The head of one kind on the body of another."""
    _, other = chance.choice(valid(chance.choice(("picture", "sound", "document"))))
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other)) :]


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip, _flip, _cut, _number, _number, _removed, _inserted, _repeated, _spliced)  # fmt: skip


def _with_checks(data: bytes) -> bytes:
    """The checksums of a PNG made right, so that what is in its chunks is looked at."""
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            break
        body = data[at + 8 : at + 8 + length]
        out += struct.pack(">I4s", length, kind) + body + struct.pack(">I", zlib.crc32(kind + body))
        at += 12 + length
    return bytes(out) + data[at:]
