"""Reads what a model folder says about itself: model_index.json and the parts' configs. No torch, no weights."""

from __future__ import annotations

import logging
import math
from dataclasses import fields as fields_of
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines import adapters, json_files, kinds, pickles
from pipelines.entry import INPAINT, INSTRUCT, LATENTS, Entry, ImageEntry
from pipelines.errors import ModelUnavailable
from pipelines.requests import Sampler

# Pipeline class of diffusers -> our family. Another kind of model (flow-matching transformers: SD3, Flux, Z-Image…)
# is a line here, its samplers in `samplers.py`, and a class beside `ImagePipeline` that `shelf.py` opens it with.
FAMILIES = {
    "StableDiffusionPipeline": "sd",
    "StableDiffusionImg2ImgPipeline": "sd",
    "LatentConsistencyModelPipeline": "sd",
    "StableDiffusionXLPipeline": "sdxl",
    "StableDiffusionXLImg2ImgPipeline": "sdxl",
    "StableDiffusionInpaintPipeline": "sd",
    "StableDiffusionXLInpaintPipeline": "sdxl",
    "StableDiffusionInstructPix2PixPipeline": "sd",
    "StableDiffusionXLInstructPix2PixPipeline": "sdxl",
}
WEIGHTS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model",
           "text_encoder_2": "model"}  # fmt: skip
# diffusers' ancestral Euler has no formula for models that predict the picture itself.
_NOT_FOR_SAMPLE = {Sampler.EULER_A}
_SAMPLERS = set(Sampler)
_FAST = ("turbo", "lightning", "hyper", "lcm")
_QUICK: dict[str, Any] = {"steps": 4, "guidance_scale": 1.0, "sketch_steps": 4}
# Low-rank changes beside a model that make it draw in a few steps: a second model, of the same parts.
FEW_STEP = "few-step.safetensors"
MOST_TEXT = 2000  # characters of a name, a note, a voice


log = logging.getLogger(__name__)


def read(id: str, folder: Path, source: str) -> Entry:
    """The catalog entry of a folder, or of the few-step variant whose file is given.

    Raises ModelUnavailable with one sentence, which names no path, and nothing else: anybody may have written what
    lies in the folder, and one that nobody foresaw must not take the other models away.
    """
    try:
        entry = _read(id, folder, source)
        if all(_speakable(getattr(entry, field.name)) for field in fields_of(entry)):
            return entry
    except ModelUnavailable:
        raise
    except Exception as error:
        log.warning("The model folder %r cannot be read", folder.name, exc_info=error)
        raise ModelUnavailable(f"{printable(id)} is damaged: its settings are not what they should be.") from error
    raise ModelUnavailable(f"{printable(id)} is damaged: its settings are not what they should be.")


def printable(name: str) -> str:
    """A name that can be written anywhere: bytes of a file name that are no text become visible, and none is long."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")[:200]


def _speakable(value: object) -> bool:
    """Whether JSON can say it: text that is text, numbers of sane size. A folder may hold anything."""
    if isinstance(value, tuple | frozenset):
        return all(_speakable(one) for one in value)
    if isinstance(value, str):
        return len(value) <= MOST_TEXT and "\0" not in value and printable(value[:200]) == value[:200]
    if isinstance(value, int | float):
        return math.isfinite(value) and abs(value) < 2**53
    return True


def _read(id: str, folder: Path, source: str) -> Entry:
    if folder.name == FEW_STEP:
        return _few_step(id, folder, source)
    name = id.rpartition("/")[2]
    if not (folder / "model_index.json").is_file() and (folder / "config.json").is_file():
        return kinds.read(id, folder, source, config(folder, "config.json", name))
    if not (folder / "model_index.json").is_file() and any(folder.glob("*.onnx")):
        return kinds.read(id, folder, source, {"model_type": "model in an ONNX file"})
    index = config(folder, "model_index.json", name)
    kind = str(index.get("_class_name"))
    if kind not in FAMILIES:
        raise ModelUnavailable(f"{name} is a {kind[:60]}; this kind of model is not supported yet.")
    unet, vae = config(folder, "unet/config.json", name), config(folder, "vae/config.json", name)
    noise = config(folder, "scheduler/scheduler_config.json", name)
    try:
        fields = _shape(unet, vae) | _inputs(unet, name) | _habits(kind, name, unet, noise) | advice(folder, name)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelUnavailable(f"{name} is damaged: its settings are incomplete.") from error
    fields["adapter"] = adapters.find(folder, name, unet.get("cross_attention_dim", 0))
    size, itemsize = _weights(folder)
    return ImageEntry(id, fields.pop("name", name), source, folder, family=FAMILIES[kind], stored_bytes=size,
                 stored_itemsize=itemsize, **fields)  # fmt: skip


def _few_step(id: str, changes: Path, source: str) -> ImageEntry:
    """The model that lies beside `changes`, with what it was distilled for: what their header says of a sampler, or
    LCM (LCM-LoRA, Luo et al. 2023)."""
    base = read(changes.parent.name, changes.parent, source)
    if not isinstance(base, ImageEntry):
        raise ModelUnavailable(f"{id} is damaged: it belongs to a model that makes no pictures.")
    said = str(_header(changes).get("__metadata__", {}).get("sampler"))
    return replace(
        base, id=id, name=f"{base.name} fast", changes=changes,
        sampler=Sampler(said) if said in _SAMPLERS else Sampler.LCM,
        note="A picture in four steps without guidance.", **_QUICK,
    )  # fmt: skip


def config(folder: Path, part: str, name: str) -> dict[str, Any]:
    """A JSON file of the folder. Raises ModelUnavailable when it is missing or damaged."""
    try:
        return json_files.read_object(folder / part)
    except FileNotFoundError as error:
        raise ModelUnavailable(f"{name} is incomplete: {part} is missing.") from error
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{name} is damaged: {part} cannot be read.") from error


def weight_file(folder: Path, part: str, name: str) -> Path:
    """The safetensors file (or the index of several) of a part. Raises ModelUnavailable: missing, or pickle only."""
    stem = WEIGHTS[part]
    found = [folder / part / f"{stem}{variant}.safetensors{index}" for variant in ("", ".fp16")
             for index in ("", ".index.json")]  # fmt: skip
    for file in found:
        if file.is_file():
            return file
    if pickles.any_in(folder / part):
        raise ModelUnavailable(pickles.refusal(name, part))
    raise ModelUnavailable(f"{name} is incomplete: the weights of its {part} are missing.")


def _shape(unet: dict, vae: dict) -> dict[str, Any]:
    levels = vae.get("block_out_channels") or vae["decoder_block_out_channels"]
    factor = 2 ** (len(levels) - 1)
    sample = unet["sample_size"]
    height, width = (sample, sample) if isinstance(sample, int) else sample
    size = {"factor": factor, "width": width * factor, "height": height * factor}
    return size | {
        "max_pixels": min(4 * size["width"] * size["height"], 2048 * 2048),
        "base_channels": unet["block_out_channels"][0],
        "latent_channels": _latent_channels(unet),
        "embeds_guidance": unet.get("time_cond_proj_dim") is not None,
    }


def _latent_channels(unet: dict) -> int:
    return unet.get("out_channels", unet["in_channels"])


def _inputs(unet: dict, name: str) -> dict[str, str]:
    """What the denoiser sees, by how many channels it takes and gives. Raises ModelUnavailable."""
    seen, given = unet["in_channels"], _latent_channels(unet)
    kinds = {given: LATENTS, 2 * given + 1: INPAINT, 2 * given: INSTRUCT}
    if seen not in kinds:
        raise ModelUnavailable(
            f"{name} has a denoiser of {seen} channels for latents of {given}; this kind of model is not supported yet."
        )
    return {"inputs": kinds[seen]}


def _habits(kind: str, name: str, unet: dict, noise: dict) -> dict[str, Any]:
    """Defaults by what the model was distilled for. Turbo: trailing timesteps, no guidance (Sauer et al. 2023)."""
    prediction = noise.get("prediction_type", "epsilon")
    trailing = noise.get("timestep_spacing") == "trailing" and prediction == "epsilon"
    lcm = "LCM" in str(noise.get("_class_name")) or kind == "LatentConsistencyModelPipeline"
    fields: dict[str, Any] = {"prediction_type": prediction}
    if prediction == "sample":
        fields["samplers"] = tuple(sampler for sampler in Sampler if sampler not in _NOT_FOR_SAMPLE)
    if lcm:
        fields |= _QUICK | {"sampler": Sampler.LCM, "note": "A few steps are enough."}
        return fields | ({"guidance_scale": 8.0} if unet.get("time_cond_proj_dim") else {})
    if trailing or any(word in name.lower() for word in _FAST):
        fields |= _QUICK | {"sampler": Sampler.EULER_A}
        return fields | {"note": "A few steps without guidance are enough."}
    return fields


def advice(folder: Path, name: str) -> dict[str, Any]:
    """What the model's maker recommends in triptych.json; empty where there is none."""
    if not (folder / "triptych.json").is_file():
        return {}
    said = config(folder, "triptych.json", name)
    known = {"name": str, "note": str, "steps": int, "guidance_scale": float, "sampler": Sampler, "width": int,
             "height": int, "sketch_steps": int}  # fmt: skip
    return {key: kind(said[key]) for key, kind in known.items() if key in said}


def _weights(folder: Path) -> tuple[int, int]:
    """Bytes of the weight files that would be loaded, and of one number in them (from the first file's header)."""
    files = [file for part in WEIGHTS for file in (folder / part).glob("*.safetensors") if _wanted(file)]
    unet = next((file for file in files if file.parent.name == "unet"), None)
    return sum(file.stat().st_size for file in files), itemsize(unet) if unet else 4


def _wanted(file: Path) -> bool:
    """Not the half-precision twin of a file that is there in full, nor an EMA copy."""
    full = file.with_name(file.name.replace(".fp16", ""))
    return "non_ema" not in file.name and (full == file or not full.exists())


def itemsize(file: Path) -> int:
    """Bytes of one number in a safetensors file; 4 where it is damaged, which loading says."""
    sizes = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1}
    first: dict[str, Any] = next((tensor for key, tensor in _header(file).items() if key != "__metadata__"), {})
    return sizes.get(str(first.get("dtype")), 4)


def _header(file: Path) -> dict[str, Any]:
    """Empty where the file is damaged."""
    try:
        return json_files.read_header(file)
    except (OSError, ValueError):
        return {}
