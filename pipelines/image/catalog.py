"""Reads what a diffusers folder says about itself: model_index.json and the parts' configs. No torch, no weights."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines import requests
from pipelines.catalog import weights
from pipelines.catalog.folders import FEW_STEP, advice, config
from pipelines.catalog.weights import read_header
from pipelines.errors import InvalidRequest, ModelUnavailable
from pipelines.image import suitable
from pipelines.image.entry import INPAINT, INSTRUCT, LATENTS, ImageEntry
from pipelines.image.prompt import ip_adapter_files
from pipelines.requests import Sampler

# Pipeline class of diffusers -> our family. Another kind of model (flow-matching transformers: SD3, Flux, Z-Image…)
# is a line here, its samplers in `samplers.py`, and a class beside `ImagePipeline` that `runtime/model_pool.py` opens
# it with.
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
# diffusers' ancestral Euler has no formula for models that predict the picture itself.
_NOT_FOR_SAMPLE = {Sampler.EULER_A}
_SAMPLERS = set(Sampler)
_ASKED = ("steps", "guidance_scale", "sampler", "width", "height")  # defaults, which a request must take
_WORDS = (("tokenizer.json",), ("vocab.json", "merges.txt"))  # a tokenizer has the files of one of these
_MOST_LEVELS, _MOST_CELLS = 8, 1024
_LEAST_SIDE, _MOST_SIDE = 64, 2048  # of a request
_FAST = ("turbo", "lightning", "hyper", "lcm")
_QUICK: dict[str, Any] = {"steps": 4, "guidance_scale": 1.0, "sketch_steps": 4}


def read(id: str, folder: Path, source: str, index: dict) -> ImageEntry | None:
    """The entry of a folder with diffusers' `model_index.json`, or of the few-step variant whose file is given; None
    where it holds something else. Raises ModelUnavailable."""
    if folder.name == FEW_STEP:
        return _few_step(id, folder, source, index)
    if "_class_name" not in index:
        return None
    name = id.rpartition("/")[2]
    kind = str(index.get("_class_name"))
    if kind not in FAMILIES:
        raise ModelUnavailable(f"{name} is a {kind[:60]}; this kind of model is not supported yet.")
    fields, stored = _pictures(folder, name, kind, index)
    return ImageEntry(id, fields.pop("name", name), source, folder, family=FAMILIES[kind], stored_bytes=stored.nbytes,
                      stored_itemsize=weights.itemsize(stored.files[0]), **fields)  # fmt: skip


def entries() -> tuple[ImageEntry, ...]:
    """None comes in a Python package."""
    return ()


def _pictures(folder: Path, name: str, kind: str, index: dict) -> tuple[dict[str, Any], weights.Stored]:
    """What is known of a picture model, and its weight files, the denoiser's first. Raises ModelUnavailable."""
    family = FAMILIES[kind]
    texts = suitable.texts(index, family, name)
    words = [part.replace("text_encoder", "tokenizer") for part in texts]
    suitable.classes(index, ["unet", "vae", *texts, *words], family, name)
    unet, vae, *encoders = (_set(config(folder, f"{part}/config.json", name)) for part in ("unet", "vae", *texts))
    if not (unet and vae):
        raise ModelUnavailable(f"{name} is damaged: its settings are incomplete.")
    noise = scheduler(folder, index, name)
    suitable.noise(noise, name)
    try:
        suitable.widths(unet, encoders, family, name)
        fields = _shape(unet, vae, family) | _inputs(unet, name) | _habits(kind, name, unet, noise)
        fields |= advice(folder, name)
        requests.make("image", **{key: fields[key] for key in _ASKED if key in fields})
    except (KeyError, TypeError, ValueError, IndexError, InvalidRequest) as error:
        raise ModelUnavailable(f"{name} is damaged: its settings are incomplete.") from error
    fields["adapter"] = ip_adapter_files.find(folder, name, unet.get("cross_attention_dim", 0))
    for part in words:
        _check_words(folder / part, name, part)
    found = [weights.of_part(folder, part, name) for part in ("unet", "vae", *texts)]
    return fields, weights.Stored([file for part in found for file in part.files])


def scheduler(folder: Path, index: dict, name: str) -> dict[str, Any]:
    """The settings of a picture model's noise scheduler. Its class is that of model_index.json, as in diffusers."""
    said = _set(config(folder, "scheduler/scheduler_config.json", name))
    kind = suitable.class_of(index, "scheduler")
    return said | {"_class_name": kind} if kind else said


def _set(config: dict[str, Any]) -> dict[str, Any]:
    """Without what is null: older versions of diffusers wrote that where a setting had no value yet."""
    return {key: value for key, value in config.items() if value is not None}


def _check_words(folder: Path, name: str, part: str) -> None:
    """Raises ModelUnavailable where a tokenizer has no vocabulary."""
    if not any(all((folder / file).is_file() for file in files) for files in _WORDS):
        raise ModelUnavailable(f"{name} is incomplete: the vocabulary of its {part} is missing.")


def _few_step(id: str, changes: Path, source: str, index: dict) -> ImageEntry:
    """The model that lies beside `changes`, with what it was distilled for: what their header says of a sampler, or
    LCM (LCM-LoRA, Luo et al. 2023)."""
    base = read(changes.parent.name, changes.parent, source, index)
    if base is None:
        raise ModelUnavailable(f"{id} is damaged: it belongs to a model that makes no pictures.")
    said = str(read_header(changes).get("__metadata__", {}).get("sampler"))
    return replace(
        base, id=id, name=f"{base.name} fast", changes=changes,
        sampler=Sampler(said) if said in _SAMPLERS else Sampler.LCM,
        note="A picture in four steps without guidance.", **_QUICK,
    )  # fmt: skip


def _shape(unet: dict, vae: dict, family: str) -> dict[str, Any]:
    """Sizes in pixels. Raises KeyError, TypeError, ValueError for settings that are none."""
    levels = vae.get("block_out_channels") or vae["decoder_block_out_channels"]
    sample = _sample_size(unet, family)
    if len(levels) > _MOST_LEVELS or not all(0 < side <= _MOST_CELLS for side in sample):
        raise ValueError("no sizes of a model")
    factor = 2 ** (len(levels) - 1)
    height, width = (min(max(side * factor, _LEAST_SIDE), _MOST_SIDE) // 8 * 8 for side in sample)
    return {
        "factor": factor,
        "width": width,
        "height": height,
        "max_pixels": min(4 * width * height, _MOST_SIDE**2),
        "base_channels": unet["block_out_channels"][0],
        "latent_channels": _latent_channels(unet),
        "embeds_guidance": unet.get("time_cond_proj_dim") is not None,
    }


def _sample_size(unet: dict, family: str) -> tuple[int, int]:
    """Height and width in latent cells. Stable Diffusion 1 was saved with 32 by diffusers before 0.9, and means 64."""
    sample = unet.get("sample_size", 128 if family == "sdxl" else 64)
    version = re.match(r"(\d+)\.(\d+)", str(unet.get("_diffusers_version", "")))
    old = version is not None and (int(version[1]), int(version[2])) < (0, 9)
    if family == "sd" and old and isinstance(sample, int) and sample < 64:
        sample = 64
    height, width = (sample, sample) if isinstance(sample, int) else sample
    return height, width


def _latent_channels(unet: dict) -> int:
    return unet.get("out_channels", 4)


def _inputs(unet: dict, name: str) -> dict[str, str]:
    """What the denoiser sees, by how many channels it takes and gives. Raises ModelUnavailable."""
    seen, given = unet.get("in_channels", 4), _latent_channels(unet)
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
