"""What the gallery keeps of each kind of artifact: the file, a small picture of it, and the words it is found by."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from pipelines.base import Artifact
from pipelines.requests import ImageRequest, Request
from studio.formats.metadata import metadata
from studio.formats.pictures import thumbnail

if TYPE_CHECKING:
    from collections.abc import Callable

EXTENSIONS = {
    "image/png": "png", "audio/wav": "wav", "audio/flac": "flac", "audio/mpeg": "mp3", "audio/ogg": "ogg",
    "text/plain": "txt",
}  # fmt: skip
WAVE_BARS = 64
WAVE_SIZE, WAVE_COLOUR, WAVE_GROUND = (384, 192), "#3a4fd6", "#eef0fb"


@dataclass(frozen=True, slots=True)
class KeptArtifact:
    """Ready to be written. words: what the artifact is called and found by."""

    data: bytes
    thumb: bytes
    width: int
    height: int
    words: str


def extension(media_type: str) -> str:
    return EXTENSIONS.get(media_type, "bin")


def keep(request: Request, artifact: Artifact, read_upload: Callable[[str], bytes]) -> KeptArtifact:
    """`read_upload` gives a stored file of the owner by its SHA-256."""
    return _KEEPERS.get(artifact.kind, _other)(request, artifact, read_upload)


def _image(request: ImageRequest, artifact: Artifact, read_upload: Callable) -> KeptArtifact:
    image = Image.open(io.BytesIO(artifact.data))
    data = metadata.write(artifact.data, request, artifact.info)
    return KeptArtifact(data, thumbnail(image), image.width, image.height, request.words)


def _speech(request: Request, artifact: Artifact, read_upload: Callable) -> KeptArtifact:
    return KeptArtifact(artifact.data, thumbnail(waveform(artifact.info.get("peaks", []))), *WAVE_SIZE, request.words)


def _caption(request: Request, artifact: Artifact, read_upload: Callable) -> KeptArtifact:
    """The small picture is that of the picture described."""
    image = Image.open(io.BytesIO(read_upload(request.uploads()[0])))
    return KeptArtifact(artifact.data, thumbnail(image), image.width, image.height, artifact.info.get("caption", ""))


def reworded(info: dict, text: str) -> dict:
    """What is known of a caption that a person has changed: nobody has checked it, unless it was a candidate."""
    checked = next((one for one in info.get("candidates", []) if one.get("text") == text), None)
    alignment = info.get("alignment", {}) | {"score": checked["score"] if checked else None}
    return info | {"caption": text, "alignment": alignment, "edited": checked is None or "person" in checked}


def checked(info: dict, told: dict) -> dict:
    """The same, when it has been checked: it is one of the candidates, and takes the place of the person's last one."""
    others = [one for one in info.get("candidates", []) if "person" not in one and one.get("text") != told["text"]]
    alignment = info.get("alignment", {}) | {"score": told["score"]}
    return info | {"candidates": [*others, told | {"person": True}], "alignment": alignment}


def _other(request: Request, artifact: Artifact, read_upload: Callable) -> KeptArtifact:
    return KeptArtifact(artifact.data, thumbnail(waveform([])), *WAVE_SIZE, request.words)


_KEEPERS: dict[str, Callable[..., KeptArtifact]] = {"image": _image, "speech": _speech, "caption": _caption}


def waveform(peaks: list[float]) -> Image.Image:
    """A picture of a sound from its loudest samples, 0…1, in equal parts of its time."""
    width, height = WAVE_SIZE
    image = Image.new("RGB", WAVE_SIZE, WAVE_GROUND)
    pen = ImageDraw.Draw(image)
    group = -(-len(peaks) // WAVE_BARS) or 1
    peaks = [max(peaks[i : i + group]) for i in range(0, len(peaks), group)]
    step = width / max(len(peaks), 1)
    for number, peak in enumerate(peaks):
        half = max(2.0, peak * (height / 2 - 12))
        left = number * step + step * 0.2
        pen.rounded_rectangle((left, height / 2 - half, left + step * 0.6, height / 2 + half), 2, WAVE_COLOUR)
    return image
