"""Image prompts of a model (IP-Adapter, Ye et al. 2023): where their files lie, and whether they fit. No torch.

In the folder of a model: `ip-adapter/` (or `ip_adapter/`) with safetensors files in IP-Adapter's own names and
`image_encoder/`, a CLIPVisionModelWithProjection. Or beside it, for all models there that it fits: a folder of that
name, in large letters or small, also as h94/IP-Adapter publishes it (`models/`, `sdxl_models/`); and that repository in
the Hugging Face cache, for models in it. Or, as the bundled model has it, `image-prompt.safetensors` on the unit
vectors of the alignment model in the folder sprite-clip beside its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.catalog import json_files, weights

OWN = "image-prompt.safetensors"
NAMES = ("ip-adapter", "ip_adapter")  # in small letters
INSIDE = ("", "models", "sdxl_models")  # diffusers' `subfolder`; h94's are the last two
ENCODER, OWN_ENCODER = "image_encoder", "sprite-clip"
CACHED = "models--h94--IP-Adapter"


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """file: the adapter's weights; encoder: folder of what turns pictures into vectors; unit: vectors of length 1.

    fault: why it cannot be used, one sentence; "" where it can.
    """

    file: Path
    encoder: Path
    unit: bool = False
    fault: str = ""

    @property
    def stored_bytes(self) -> int:
        files = [self.file, *self.encoder.glob("*.safetensors")]
        return sum(file.stat().st_size for file in files if file.is_file())


def find(folder: Path, name: str, width: int) -> AdapterFiles | None:
    """The adapter of the model in `folder`; None: it has none. width: of the texts that its denoiser attends to."""
    try:
        return _find(folder, name, width)
    except OSError:  # a folder that cannot be looked into: the model is no worse than without
        return None


def _find(folder: Path, name: str, width: int) -> AdapterFiles | None:
    eyes = folder.parent / OWN_ENCODER
    if (folder / OWN).is_file():
        return _judged(AdapterFiles(folder / OWN, eyes, unit=True), name, width)
    for inside in _named_in(folder):
        return _first(_found(inside, folder, name, width, eyes)) or _lacking(inside, name)
    # what lies beside a model may be meant for others: only what fits is taken, or would if it were whole
    shared = [found for root in _beside(folder) for found in _found(root, folder, name, width)]
    return _first([found for found in shared if _made_for(found.file, folder)])


def _named_in(folder: Path) -> list[Path]:
    return sorted(inside for inside in folder.iterdir() if inside.name.lower() in NAMES and inside.is_dir())


def _beside(folder: Path) -> Iterator[Path]:
    """Folders of adapters for several models."""
    yield from _named_in(folder.parent)
    if folder.parent.name == "snapshots":  # HUB/models--OWNER--NAME/snapshots/REVISION
        yield from sorted((folder.parent.parent.parent / CACHED / "snapshots").glob("*"))


def _first(found: list[AdapterFiles]) -> AdapterFiles | None:
    """Without a fault, if there is one."""
    return next((each for each in found if not each.fault), found[0] if found else None)


def _found(root: Path, model: Path, name: str, width: int, own: Path | None = None) -> list[AdapterFiles]:
    """Every adapter under `root`, judged: that which the model's maker names first, plain ones before those for faces.

    own: the encoder for those that bring none.
    """
    wanted = _wanted(model)

    def order(file: Path) -> tuple:  # ip-adapter_sd15, …_sd15_light, ip-adapter-plus_sd15, ip-adapter-plus-face_sd15
        return file.name != wanted, "face" in file.stem, len(file.stem), file.stem

    files = [file for inside in INSIDE for file in (root / inside).glob("*.safetensors")]
    return [_with_eyes(file, root, name, width, own) for file in sorted(files, key=order)]


def _wanted(model: Path) -> str:
    """The file that `triptych.json` names as `ip_adapter`: what diffusers calls `weight_name`."""
    try:
        return str(json_files.read_object(model / "triptych.json")["ip_adapter"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _with_eyes(file: Path, root: Path, name: str, width: int, own: Path | None) -> AdapterFiles:
    """With the first image encoder whose vectors it takes."""
    places = list(dict.fromkeys([file.parent / ENCODER, *(root / inside / ENCODER for inside in INSIDE)]))
    eyes = [AdapterFiles(file, place) for place in places if place.is_dir()]
    if not eyes and own and own.is_dir():
        eyes = [AdapterFiles(file, own, unit=True)]
    judged = [_judged(found, name, width) for found in eyes or [AdapterFiles(file, places[0])]]
    return next((found for found in judged if not found.fault), judged[0])


def _lacking(inside: Path, name: str) -> AdapterFiles:
    fault = f"The IP-Adapter of {name} is missing."
    if any(weights.holds_pickle(inside / part) for part in INSIDE):
        fault = f"The IP-Adapter of {name} is a pickle, which can run anything; only safetensors files are opened."
    return AdapterFiles(inside, inside, fault=fault)


def _judged(found: AdapterFiles, name: str, width: int) -> AdapterFiles:
    return replace(found, fault=_fault(found, name, width))


def _fault(found: AdapterFiles, name: str, width: int) -> str:
    shapes = _shapes(found.file)
    keys = _keys(shapes)
    if not keys or not any(key.startswith("image_proj.") for key in shapes):
        return f"The IP-Adapter of {name} is damaged, or something else."
    if any(len(shape) != 2 or shape[1] != width for shape in keys):
        return f"The IP-Adapter in the folder of {name} is made for another base model."
    if not (found.encoder / "config.json").is_file() or not any(found.encoder.glob("*.safetensors")):
        return f"The IP-Adapter of {name} lacks its image encoder (folder {found.encoder.name})."
    if not _sees(found.encoder, shapes):
        return f"The IP-Adapter of {name} lacks its own image encoder: the one beside it is another."
    return ""


def _keys(shapes: dict[str, list[int]]) -> list[list[int]]:
    named = (key.startswith("ip_adapter.") and key.endswith("to_k_ip.weight") for key in shapes)
    return [shape for shape, wanted in zip(shapes.values(), named, strict=True) if wanted]


def _sees(encoder: Path, shapes: dict[str, list[int]]) -> bool:
    """Whether the encoder gives vectors as long as the adapter takes; true where that cannot be told.

    The plain kind takes image embeddings, Plus (`proj_in`) and Full (`proj.0`) the patches of the last layer but one.
    """
    try:
        config = json_files.read_object(encoder / "config.json")
        kinds = {"proj.weight": config["projection_dim"], "proj_in.weight": config["hidden_size"],
                 "proj.0.weight": config["hidden_size"]}  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return True  # damaged: opening says so
    taken = {key: shapes[f"image_proj.{key}"][-1:] for key in kinds if f"image_proj.{key}" in shapes}
    return all([kinds[key]] == length for key, length in taken.items())


def _made_for(file: Path, model: Path) -> bool:
    """Whether its attentions are those of the model's denoiser, by their widths; true where that cannot be told."""
    stored = [shapes for part in sorted((model / "unet").glob("*.safetensors")) if (shapes := _shapes(part))]
    if not stored:
        return True
    attended = {key: shape for part in stored for key, shape in part.items() if key.endswith("attn2.to_k.weight")}
    return Counter(map(tuple, attended.values())) == Counter(map(tuple, _keys(_shapes(file))))


def _shapes(file: Path) -> dict[str, list[int]]:
    """Of every tensor in a safetensors file; empty where it is damaged."""
    try:
        header = json_files.read_header(file)
        return {key: _shape(tensor["shape"]) for key, tensor in header.items() if key != "__metadata__"}
    except (OSError, ValueError, KeyError):
        return {}


def _shape(value: object) -> list[int]:
    """Raises ValueError for what is none."""
    if isinstance(value, list) and all(isinstance(length, int) for length in value):
        return value
    raise ValueError("no shape")
