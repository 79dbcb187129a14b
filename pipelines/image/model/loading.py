"""Opens models: the only place that loads weights. Safetensors only; no pickle, no code from a model folder."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from pipelines.catalog import folders, weights
from pipelines.errors import ModelUnavailable, TriptychError
from pipelines.image import catalog, samplers, suitable
from pipelines.image.entry import ImageEntry
from pipelines.image.model import lora
from pipelines.image.model.parts import Parts
from pipelines.runtime import devices
from pipelines.runtime.options import Options, Progress, quiet


def warm() -> None:
    """Imports what models are made of: seconds of work, better done before the first person waits for it.

    What cannot be imported is said when a model needs it.
    """
    for module in dict.fromkeys(suitable.CLASSES.values()):
        with suppress(ImportError):
            import_module(module)


def load(entry: ImageEntry, options: Options, progress: Progress) -> Parts:
    """The parts of a model that lies on this machine. Raises ModelUnavailable with one sentence."""
    index = folders.config(entry.place, "model_index.json", entry.name)
    texts = suitable.texts(index, entry.family, entry.name)
    names = ["unet", "vae", *texts, *(part.replace("text_encoder", "tokenizer") for part in texts)]
    opened = {}
    for i, part in enumerate(names):
        progress(f"loading {entry.name}", i / len(names))
        opened[part] = _open(entry, part, index, options)
    _fit_windows(opened, texts)
    progress(f"loading {entry.name}", 1.0)
    return _parts(entry, index, opened, texts, options)


def _parts(entry: ImageEntry, index: dict, opened: dict, texts: list[str], options: Options) -> Parts:
    from pipelines.image.model import placing

    sdxl = entry.family == "sdxl"
    parts = Parts(
        opened["unet"],
        opened["vae"],
        [opened[part] for part in texts],
        [opened[part.replace("text_encoder", "tokenizer")] for part in texts],
        _noise(entry, index),
        entry.factor,
        options.device,
        options.dtype,
        devices.memory_format_for(options.device),
        sdxl,
        sdxl and bool(index.get("force_zeros_for_empty_prompt", True)),
        entry.inputs,
    )
    placing.place(parts, options)
    return parts


def _noise(entry: ImageEntry, index: dict) -> dict[str, Any]:
    """Settings that every sampler of the model can be made of. Raises ModelUnavailable."""
    config = catalog.scheduler(entry.place, index, entry.name)
    try:
        with quiet():
            own = samplers.own_config(config, sdxl=entry.family == "sdxl")
            made = samplers.Samplers(own)
            for sampler in entry.samplers:
                made.fresh(sampler)
    except Exception as error:
        raise ModelUnavailable(f"{entry.name} is damaged: its scheduler cannot be opened.") from error
    return own


def _fit_windows(opened: dict, texts: list[str]) -> None:
    """A tokenizer that was saved without its longest text takes ten to the thirty tokens: its encoder knows better."""
    for part in texts:
        tokenizer, longest = opened[part.replace("text_encoder", "tokenizer")], opened[part].config
        tokenizer.model_max_length = min(tokenizer.model_max_length, longest.max_position_embeddings)


def _open(entry: ImageEntry, part: str, index: dict, options: Options) -> Any:
    """One part, by its class in model_index.json. Raises ModelUnavailable."""
    kind = _kind(entry, part, index)
    try:
        with quiet():
            if part.startswith("tokenizer"):
                return kind.from_pretrained(entry.place / part, local_files_only=True)
            model = _with_weights(kind, entry, part, options)
            return lora.merge(model, entry.changes) if part == "unet" and entry.changes else model
    except TriptychError:
        raise
    except Exception as error:
        raise ModelUnavailable(f"{entry.name} is damaged: its {part} cannot be opened.") from error


def _kind(entry: ImageEntry, part: str, index: dict) -> Any:
    """The class of a part, of diffusers or transformers. Raises ModelUnavailable."""
    suitable.classes(index, [part], entry.family, entry.name)
    name = suitable.class_of(index, part)
    name = suitable.ALIASES.get(name, name)
    return getattr(import_module(suitable.CLASSES[name]), name)


def _with_weights(kind: Any, entry: ImageEntry, part: str, options: Options) -> Any:
    stored = weights.of_part(entry.place, part, entry.name)
    folders.config(entry.place, f"{part}/config.json", entry.name)
    variant = {"variant": stored.variant} if stored.variant else {}
    number = {"dtype" if part.startswith("text") else "torch_dtype": _dtype(part, entry.place, options)}
    model, told = kind.from_pretrained(
        entry.place / part, use_safetensors=True, local_files_only=True, output_loading_info=True, **variant, **number
    )
    if missing := [key for key in told["missing_keys"] if "position_ids" not in key]:
        raise ModelUnavailable(f"{entry.name} is damaged: its {part} lacks {len(missing)} of its weights.")
    return model.eval().requires_grad_(False)


def _dtype(part: str, folder: Path, options: Options) -> torch.dtype:
    """SDXL's autoencoder overflows in half precision; its config says so (`force_upcast`, true if not said)."""
    if part == "vae" and options.dtype == torch.float16:
        upcast = folders.config(folder, "vae/config.json", "vae").get("force_upcast", True)
        return torch.float32 if upcast else options.dtype
    return options.dtype
