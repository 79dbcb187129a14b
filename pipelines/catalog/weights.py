"""The weight files of a model folder, as diffusers and transformers save them: which are there, how large. No torch.

One file (`model.safetensors`), or several and an index of them (`model.safetensors.index.json`); a variant's name, such
as fp16, stands before the ending: `model.fp16.safetensors`, `model.safetensors.index.fp16.json`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.catalog import json_files
from pipelines.errors import ModelUnavailable

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model",
         "text_encoder_2": "model"}  # fmt: skip
# Which of a part's variants is opened where there are several: the first, then whatever there is. "": full precision.
VARIANTS = ("", "fp32", "fp16", "bf16", "ema")
LAST = "non_ema"  # for going on with training
_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1}
SUFFIXES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")


@dataclass(frozen=True, slots=True)
class Stored:
    """The weights of one part. variant: as diffusers and transformers call it; "": none."""

    files: list[Path]
    variant: str = ""

    @property
    def nbytes(self) -> int:
        return sum(file.stat().st_size for file in self.files)


def of_part(folder: Path, part: str, name: str) -> Stored:
    """Those of a part of a picture model. Raises ModelUnavailable: missing, or pickle only."""
    variants = _variants(folder / part, STEMS[part])
    if not variants:
        if holds_pickle(folder / part):
            raise ModelUnavailable(pickle_refusal(name, part))
        raise ModelUnavailable(f"{name} is incomplete: the weights of its {part} are missing.")
    variant = min(variants, key=_rank)
    file = variants[variant]
    return Stored(_shards(file, name) if file.suffix == ".json" else [file], variant)


def stored(folder: Path, name: str) -> tuple[int, int]:
    """Of a folder in transformers' layout: bytes of its weight files, and of one number in them.

    Raises ModelUnavailable: missing, or pickle only.
    """
    files = _files(folder, name)
    return sum(file.stat().st_size for file in files), itemsize(files[0])


def whole(folder: Path) -> bool:
    """Whether every weight file is there."""
    try:
        return bool(_files(folder, folder.name))
    except ModelUnavailable:
        return False


def itemsize(file: Path) -> int:
    """Bytes of one number in a safetensors file; 4 where it is damaged, which loading says."""
    try:
        header = json_files.read_header(file)
    except (OSError, ValueError):
        return 4
    first = next((tensor for key, tensor in header.items() if key != "__metadata__"), {})
    return _SIZES.get(str(first.get("dtype")), 4)


def _variants(folder: Path, stem: str) -> dict[str, Path]:
    """Variant -> its file, or the index of its files; a single file before an index, as the libraries look for it."""
    single = re.compile(re.escape(stem) + r"(?:\.(?P<variant>[\w-]+))?\.safetensors", re.ASCII)
    index = re.compile(re.escape(stem) + r"\.safetensors\.index(?:\.(?P<variant>[\w-]+))?\.json", re.ASCII)
    found: dict[str, Path] = {}
    for pattern in (single, index):
        for file in sorted(folder.glob(f"{stem}.*")):
            match = pattern.fullmatch(file.name)
            if match and file.is_file() and "-of-" not in file.stem:
                found.setdefault(match["variant"] or "", file)
    return found


def _rank(variant: str) -> tuple[int, str]:
    if variant == LAST:
        return len(VARIANTS) + 1, variant
    return (VARIANTS.index(variant) if variant in VARIANTS else len(VARIANTS)), variant


def _files(folder: Path, name: str) -> list[Path]:
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if (folder / INDEX).is_file():
        return _shards(folder / INDEX, name)
    if holds_pickle(folder):
        raise ModelUnavailable(
            f"{name} keeps its weights as a pickle, which can run anything; only safetensors files are opened."
        )
    raise ModelUnavailable(f"{name} is incomplete: its weights are missing.")


def _shards(index: Path, name: str) -> list[Path]:
    try:
        files = [index.parent / shard for shard in sorted(set(json_files.read_object(index)["weight_map"].values()))]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelUnavailable(f"{name} is damaged: {index.name} cannot be read.") from error
    inside = [file for file in files if file.parent == index.parent and file.suffix == ".safetensors"]
    there = [file for file in inside if file.is_file()]
    if not files or len(there) < len(files):
        raise ModelUnavailable(f"{name} is incomplete: {len(files) - len(there)} of its weight files are missing.")
    return files


def read_header(file: Path) -> dict[str, Any]:
    """Empty where the file is damaged."""
    try:
        return json_files.read_header(file)
    except (OSError, ValueError):
        return {}


def holds_pickle(folder: Path) -> bool:
    """Whether one lies in the folder; False where there is no such folder, or none that can be looked into."""
    try:
        return folder.is_dir() and any(file.suffix in SUFFIXES for file in folder.iterdir())
    except OSError:
        return False


def pickle_named(parent: Path, name: str) -> bool:
    """Whether somebody has put one there as the model of that name: in a folder, or as a file."""
    try:
        found = [file for file in parent.iterdir() if name in (file.name, file.stem)]
        return any(holds_pickle(file) or (file.is_file() and file.suffix in SUFFIXES) for file in found)
    except OSError:
        return False


def pickle_refusal(name: str, part: str = "") -> str:
    """The sentence for a person. part: of the model, such as its unet."""
    if part:
        return (
            f"{name} keeps its {part} weights as a pickle, which can run anything; only safetensors files are opened."
        )
    return f"{name} keeps its weights as a pickle, which can run anything; only safetensors files are opened."
