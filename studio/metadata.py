"""A picture's settings, inside the picture: written into PNG, read from ours and from other programs'."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image

from pipelines import requests
from pipelines.errors import InvalidRequest
from pipelines.requests import ImageRequest, Role, Sampler
from studio import limits, parameters, png
from studio.exif import user_texts
from studio.pictures import FORMATS, sentences

SOFTWARE = "Triptych"
MAX_RAW = 200_000  # characters shown of a foreign text

_WRITTEN = {"steps": "Steps", "sampler": "Sampler", "guidance_scale": "CFG scale", "seed": "Seed"}
_READ = {**{name: key for key, name in _WRITTEN.items()}, "Model": "model", "Denoising strength": "strength"}
_NUMBERS = {"steps": int, "seed": int, "guidance_scale": float, "strength": float}


@dataclass(frozen=True, slots=True)
class Info:
    """What a picture says of itself.

    source: "triptych", "a1111", "comfyui", "other" (some text that we cannot read) or "none".
    fields: named as in ImageRequest, values as found; other: settings without a place there; raw: the text itself.
    """

    source: str
    fields: dict = field(default_factory=dict)
    other: dict[str, str] = field(default_factory=dict)
    raw: str = ""

    def usable(self) -> tuple[dict, list[str]]:
        """The fields that a request of ours accepts, and one sentence for each that it does not."""
        good, notes = {}, []
        for name, value in self.fields.items():
            try:
                requests.make("image", **{name: value})
            except InvalidRequest as error:
                notes.append(str(error))
            else:
                good[name] = value
        return good, notes


def write(data: bytes, request: ImageRequest, extra: Mapping | None = None) -> bytes:
    """The PNG with the chunks `parameters` (AUTOMATIC1111's format) and `triptych` (the whole request as JSON)."""
    whole = {"software": SOFTWARE, "request": request.model_dump(mode="json"), **(extra or {})}
    chunks = {"parameters": parameters_text(request), "triptych": json.dumps(whole, ensure_ascii=False)}
    return png.with_texts(data, chunks)


def parameters_text(request: ImageRequest) -> str:
    """The settings as the text that other programs understand."""
    settings = {name: _plain(getattr(request, key)) for key, name in _WRITTEN.items()}
    settings["Size"] = f"{request.width}x{request.height}"
    settings["Model"] = request.model
    if request.beginning:
        settings["Denoising strength"] = _plain(request.strength)
    settings |= _inpainting(request)
    settings["Version"] = SOFTWARE
    return parameters.compose(parameters.Parameters(request.words, _unwanted(request), settings))


def _inpainting(request: ImageRequest) -> dict[str, str]:
    """What that program says of a mask, and under which names."""
    if not (request.mask or request.expand.any):
        return {}
    said = {"Mask blur": str(request.mask_blur)}
    if request.only_masked:
        said |= {"Inpaint area": "Only masked", "Masked area padding": str(request.mask_padding)}
    return said


def _unwanted(request: ImageRequest) -> str:
    """The negative prompt, with the texts among the parts that say what must not be seen."""
    said = (part.text.strip() for part in request.parts if part.role == Role.NOT)
    return ", ".join(text for text in (request.negative_prompt, *said) if text)


def read(data: bytes) -> Info:
    """The settings in a picture file, without decoding its pixels. Raises BadUpload for what is no picture."""
    texts = _texts(data)
    for key, reader in (("triptych", _ours), ("parameters", _a1111), ("prompt", _comfyui)):
        info = reader(texts[key], texts) if key in texts else None
        if info:
            return info
    raw = "\n".join(f"{key}: {text}" for key, text in texts.items())
    return Info("other" if raw else "none", raw=raw[:MAX_RAW])


def _texts(data: bytes) -> dict[str, str]:
    with sentences(data):
        if len(data) <= limits.UPLOAD_BYTES and data.startswith(png.SIGNATURE):
            return png.texts(data)
        image = Image.open(io.BytesIO(data[: limits.UPLOAD_BYTES + 1]), formats=FORMATS)
        return user_texts(image.getexif())


def _ours(text: str, texts: Mapping[str, str]) -> Info | None:
    try:
        found = json.loads(text)["request"]
        request = requests.make(**found)
    except (ValueError, TypeError, KeyError, RecursionError, InvalidRequest):
        return None  # of another version, or changed by hand: `parameters` may still be read
    fields = request.model_dump(mode="json", exclude={"kind", "count", "priority", "filmstrip", "group", "early_stop"})
    return Info("triptych", {k: v for k, v in fields.items() if v is not None}, raw=texts.get("parameters", text))


def _a1111(text: str, _: Mapping[str, str]) -> Info:
    found = parameters.parse(text)
    fields: dict = {"prompt": found.prompt, "negative_prompt": found.negative_prompt}
    other = dict(found.settings)
    for name, key in _READ.items():
        if name in other:
            fields[key] = _number(key, other.pop(name))
    fields |= _size(other.pop("Size", ""))
    if "sampler" in fields:
        fields["sampler"] = _sampler(fields["sampler"], other.get("Schedule type", ""))
    return Info("a1111", fields, other, text[:MAX_RAW])


def _comfyui(text: str, texts: Mapping[str, str]) -> Info:
    """A graph of nodes has no settings of ours; it is shown as it is."""
    with contextlib.suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return Info("comfyui", raw=text[:MAX_RAW])


def _plain(value: object) -> str:
    """7, not 7.0; every other digit is kept."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _number(key: str, text: str) -> object:
    with contextlib.suppress(ValueError, KeyError):
        return _NUMBERS[key](text)
    return text


def _size(text: str) -> dict[str, int]:
    width, _, height = text.partition("x")
    return {"width": int(width), "height": int(height)} if width.isdecimal() and height.isdecimal() else {}


def _sampler(name: str, schedule: str) -> str:
    """Newer files keep "Karras" in a setting of its own, older ones in the name; we have it where it makes two."""
    known = set(Sampler)
    bare = name.removesuffix(" Karras")
    karras = f"{bare} Karras"
    if (schedule == "Karras" or name == karras) and karras in known:
        return karras
    return bare if bare in known else name
