"""A picture's settings, inside the picture: written into PNG, read from ours and from other programs'."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from PIL import Image

from pipelines import prompt_dialects, requests
from pipelines.errors import InvalidRequest
from pipelines.requests import ImageRequest, Role, Sampler
from studio import limits
from studio.formats import png
from studio.formats.exif import user_texts
from studio.formats.metadata import a1111, programs
from studio.formats.pictures import FORMATS, sentences

SOFTWARE = "Triptych"
MAX_RAW = 200_000  # characters shown of a foreign text
MAX_NOTES = 20
_SHOWN = 60  # characters of a value in a note
_UNIFORM = {Sampler.DPMPP_2M, Sampler.DPMPP_SDE}
_KARRAS_BY_ITSELF = {"DPM++ 2M", "DPM++ SDE"}  # in AUTOMATIC1111's modules/sd_samplers_kdiffusion.py
_SAYS_NOTHING = {
    "Schedule type", "RNG", "Version", "User", "Mask blur", "Inpaint area", "Masked area padding", "Created Date",
    "Civitai resources", "Civitai metadata", "Template", "Negative Template", "Batch size", "Batch pos",
    "First pass size",
}  # fmt: skip
_USUAL = {("Clip skip", "1"), ("Eta", "0"), ("Eta", "0.0"), ("Tiling", "False")}

_WRITTEN = {"steps": "Steps", "sampler": "Sampler", "guidance_scale": "CFG scale", "seed": "Seed"}
_READ = {**{name: key for key, name in _WRITTEN.items()}, "Model": "model", "Denoising strength": "strength"}
_NUMBERS = {"steps": int, "seed": int, "guidance_scale": float, "strength": float}


@dataclass(frozen=True, slots=True)
class Info:
    """What a picture says of itself.

    source: "triptych", "a1111", "swarmui", "fooocus", "invokeai", "novelai", "comfyui", "other" (some text that we
    cannot read) or "none". fields: named as in ImageRequest, values as found; other: settings without a place there;
    raw: the text itself; notes: what it asks for and we cannot do, as sentences.
    """

    source: str
    fields: dict = field(default_factory=dict)
    other: dict[str, str] = field(default_factory=dict)
    raw: str = ""
    notes: list[str] = field(default_factory=list)

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
        return good, notes + self.notes


def write(data: bytes, request: ImageRequest, extra: Mapping | None = None) -> bytes:
    """The PNG with the chunks `parameters` (AUTOMATIC1111's format) and `triptych` (the whole request as JSON)."""
    whole = {"software": SOFTWARE, "request": request.model_dump(mode="json"), **(extra or {})}
    chunks = {"parameters": parameters_text(request), "triptych": json.dumps(whole, ensure_ascii=False)}
    return png.with_texts(data, chunks)


def parameters_text(request: ImageRequest) -> str:
    """The settings as the text that other programs understand."""
    settings = {"Steps": _plain(request.steps), "Sampler": _plain(request.sampler)}
    if request.sampler in _UNIFORM:  # without a word of it web UI 1.9 and later takes Karras'
        settings["Schedule type"] = "Uniform"
    settings |= {name: _plain(getattr(request, key)) for key, name in _WRITTEN.items()}
    settings["Size"] = f"{request.width}x{request.height}"
    settings["Model"] = request.model
    if request.beginning:
        settings["Denoising strength"] = _plain(request.strength)
    settings |= _inpainting(request)
    settings["RNG"] = "CPU"
    settings["Version"] = SOFTWARE
    return a1111.compose(a1111.Parameters(request.words, _unwanted(request), settings))


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
    if "triptych" in texts and (info := _ours(texts["triptych"], texts)):
        return info
    raw = "\n".join(f"{key}: {text}" for key, text in texts.items())[:MAX_RAW]
    said = texts.get("parameters", "")
    if said.strip() and not _is_json(said):
        return _in_our_words(_a1111(said))
    if told := programs.read(texts):
        program, fields = told
        return _in_our_words(Info(program, fields, raw=raw))
    return Info("other" if raw else "none", raw=raw)


def told(data: bytes) -> dict:
    """As `read`, in plain values: only fields that can be used as they are; notes: which could not, and why."""
    found = read(data)
    fields, notes = found.usable()
    return {"source": found.source, "fields": fields, "other": found.other, "notes": notes, "raw": found.raw}


def _is_json(text: str) -> bool:
    """Of a program that we do not know: never a prompt."""
    try:
        return isinstance(json.loads(text), dict | list)
    except json.JSONDecodeError:
        return False
    except (ValueError, RecursionError):  # numbers or nests without end
        return True


def _in_our_words(info: Info) -> Info:
    """Prompts without what we cannot do, each with a note of its own."""
    fields, notes = dict(info.fields), list(info.notes)
    for name in ("prompt", "negative_prompt"):
        if isinstance(text := fields.get(name), str):
            fields[name], said = prompt_dialects.plain(text.encode("utf-8", "replace").decode())
            notes += said
    return replace(info, fields=fields, notes=notes[:MAX_NOTES])


def _texts(data: bytes) -> dict[str, str]:
    with sentences(data):
        if len(data) <= limits.UPLOAD_BYTES and data.startswith(png.SIGNATURE):
            found = png.texts(data)
            if "parameters" not in found and (body := png.exif(data)):
                found = _exif_texts(body) | found
            return found
        image = Image.open(io.BytesIO(data[: limits.UPLOAD_BYTES + 1]), formats=FORMATS)
        found, comment = user_texts(image.getexif()), image.info.get("comment")
        if isinstance(comment, bytes) and (text := comment.decode("utf-8", "replace").strip("\0 ")):
            found.setdefault("parameters", text)
        return _settings_only(found)


def _settings_only(found: dict[str, str]) -> dict[str, str]:
    """Cameras and other programs comment on pictures, too: what has no settings in it is no prompt."""
    said = found.pop("parameters", "")
    if not said:
        return found
    return found | {"parameters" if a1111.parse(said).settings or _is_json(said) else "comment": said}


def _exif_texts(body: bytes) -> dict[str, str]:
    """Of a chunk that may be damaged: the picture is one all the same."""
    exif = Image.Exif()
    with contextlib.suppress(Exception):
        exif.load(body)
        return user_texts(exif)
    return {}


def _ours(text: str, texts: Mapping[str, str]) -> Info | None:
    try:
        found = json.loads(text)["request"]
        request = requests.make(**found)
    except (ValueError, TypeError, KeyError, RecursionError, InvalidRequest):
        return None  # of another version, or changed by hand: `parameters` may still be read
    fields = request.model_dump(mode="json", exclude={"kind", "count", "priority", "filmstrip", "group", "early_stop"})
    return Info("triptych", {k: v for k, v in fields.items() if v is not None}, raw=texts.get("parameters", text))


def _a1111(text: str) -> Info:
    found = a1111.parse(text)
    fields: dict = {"prompt": found.prompt, "negative_prompt": found.negative_prompt}
    other, notes = dict(found.settings), []
    for name, key in _READ.items():
        if name in other:
            fields[key] = _number(key, other.pop(name))
    fields |= _size(other.pop("Size", ""))
    if "sampler" in fields:
        fields["sampler"], said = _sampler(fields["sampler"], other.get("Schedule type", ""))
        notes += said
    if any(name.startswith("Hires") for name in other):  # then that strength is of its second pass
        fields.pop("strength", None)
    notes += [_left_out(name, value) for name, value in other.items() if not _harmless(name, value)]
    return Info("a1111", fields, other, text[:MAX_RAW], notes)


def _harmless(name: str, value: str) -> bool:
    """Whether the picture is the same without it, or another setting says it, too."""
    return name in _SAYS_NOTHING or name.endswith(("hash", "hashes")) or (name, value) in _USUAL


def _left_out(name: str, value: str) -> str:
    return f"{name}: {value if len(value) <= _SHOWN else value[:_SHOWN] + '…'} cannot be done here; it was left out."


def _plain(value: object) -> str:
    """7, not 7.0; every other digit is kept."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _number(key: str, text: str) -> object:
    with contextlib.suppress(ValueError, KeyError):
        return _NUMBERS[key](text)
    return text


def _size(text: str) -> dict[str, int]:
    width, _, height = text.partition("x")
    numbers = all(side.isdecimal() and len(side) < 10 for side in (width, height))
    return {"width": int(width), "height": int(height)} if numbers else {}


def _sampler(name: str, schedule: str) -> tuple[str, list[str]]:
    """Our name, and what we cannot do. Files of web UI 1.9 and later keep "Karras" in a setting of its own, and mean
    it by "Automatic" where it is that sampler's own way; older ones keep it in the name.
    """
    known = set(Sampler)
    bare = name.removesuffix(" Karras")
    if bare != name or (schedule == "Automatic" and bare in _KARRAS_BY_ITSELF):
        schedule = "Karras"
    if schedule == "Karras" and f"{bare} Karras" in known:
        return f"{bare} Karras", []
    if bare not in known:
        return name, []
    plain = schedule in ("", "Automatic", "Uniform", "Normal")
    return bare, [] if plain else [f"{bare} cannot take the schedule {schedule[:_SHOWN]} here; it takes its own."]
