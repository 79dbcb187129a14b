"""Image prompts of a model (IP-Adapter, Ye et al. 2023): where their files lie, and whether they fit. No torch.

Beside the parts of a model: `ip-adapter/` (or `ip_adapter/`) with one safetensors file in IP-Adapter's own names and
`image_encoder/`, a CLIPVisionModelWithProjection, as h94/IP-Adapter publishes them. Or, as the bundled model has it,
`image-prompt.safetensors` on the unit vectors of the alignment model in the folder sprite-clip beside its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pipelines import pickles

OWN = "image-prompt.safetensors"
FOLDERS = ("ip-adapter", "ip_adapter")
ENCODER, OWN_ENCODER = "image_encoder", "sprite-clip"


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
    if (folder / OWN).is_file():
        return _judged(AdapterFiles(folder / OWN, folder.parent / OWN_ENCODER, unit=True), name, width)
    inside = next((folder / part for part in FOLDERS if (folder / part).is_dir()), None)
    if inside is None:
        return None
    files = sorted(inside.glob("*.safetensors"))
    if not files:
        return AdapterFiles(inside, inside, fault=_lacking(inside, name))
    own = not (inside / ENCODER).is_dir() and (folder.parent / OWN_ENCODER).is_dir()
    encoder = folder.parent / OWN_ENCODER if own else inside / ENCODER
    return _judged(AdapterFiles(files[0], encoder, unit=own), name, width)


def _lacking(inside: Path, name: str) -> str:
    if pickles.any_in(inside):
        return f"The IP-Adapter of {name} is a pickle, which can run anything; only safetensors files are opened."
    return f"The IP-Adapter of {name} is missing."


def _judged(found: AdapterFiles, name: str, width: int) -> AdapterFiles:
    return AdapterFiles(found.file, found.encoder, found.unit, _fault(found, name, width))


def _fault(found: AdapterFiles, name: str, width: int) -> str:
    shapes = _shapes(found.file)
    keys = [shape for key, shape in shapes.items() if key.startswith("ip_adapter.") and key.endswith("to_k_ip.weight")]
    if not keys or not any(key.startswith("image_proj.") for key in shapes):
        return f"The IP-Adapter of {name} is damaged, or something else."
    if any(len(shape) != 2 or shape[1] != width for shape in keys):
        return f"The IP-Adapter in the folder of {name} is made for another base model."
    if not (found.encoder / "config.json").is_file() or not any(found.encoder.glob("*.safetensors")):
        return f"The IP-Adapter of {name} lacks its image encoder (folder {found.encoder.name})."
    return ""


def _shapes(file: Path) -> dict[str, list[int]]:
    """safetensors: eight bytes with the header's length, then JSON with a shape for each tensor."""
    try:
        with file.open("rb") as opened:
            header = json.loads(opened.read(min(int.from_bytes(opened.read(8), "little"), 2**24)))
        return {key: tensor["shape"] for key, tensor in header.items() if key != "__metadata__"}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}
