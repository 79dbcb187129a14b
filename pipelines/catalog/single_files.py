"""Single files among the models: what each is, as far as the names of its tensors tell. No torch.

None of them can be opened yet; whoever has put one there hears so, instead of that there is no such model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.catalog import folders, json_files, weights

SUFFIX = ".safetensors"
# How the names of the tensors begin -> what the file is; the first that fits.
_KINDS = (
    ("conditioner.embedders.1.", "a whole SDXL model"),
    ("conditioner.embedders.0.model.", "an SDXL refiner"),
    ("cond_stage_model.model.", "a whole Stable Diffusion 2 model"),
    ("cond_stage_model.", "a whole Stable Diffusion 1 model"),
    ("control_model.", "a ControlNet"),
    ("controlnet_", "a ControlNet"),
    ("lora_", "a LoRA"),
    ("unet.", "a LoRA"),
    ("transformer.", "a LoRA"),
    ("image_proj.", "an IP-Adapter"),
    ("emb_params", "a textual inversion"),
    ("first_stage_model.", "an autoencoder (VAE)"),
    ("decoder.", "an autoencoder (VAE)"),
    ("double_blocks.", "a Flux model"),
    ("model.diffusion_model.double_blocks.", "a Flux model"),
    ("model.diffusion_model.joint_blocks.", "a Stable Diffusion 3 model"),
    ("model.diffusion_model.", "a denoiser without the rest of its model"),
    ("text_model.", "a text encoder"),
)


def found(parent: Path) -> Iterator[tuple[str, str]]:
    """Name without ending, and sentence, of each weight file in the folder."""
    try:
        files = sorted(file for file in parent.iterdir() if _holds_weights(file))
    except OSError:
        return
    for file in files:
        name = folders.printable(file.stem)
        yield name, weights.pickle_refusal(name) if file.suffix in weights.SUFFIXES else _sentence(name, file)


def refusal(parent: Path, name: str) -> str:
    """The sentence for a person who asks for that file, with its ending or without; "": there is none."""
    return next((said for stem, said in found(parent) if stem in (name, Path(name).stem)), "")


def _holds_weights(file: Path) -> bool:
    return file.suffix.lower() in (SUFFIX, *weights.SUFFIXES) and file.is_file()


def _sentence(name: str, file: Path) -> str:
    kind = _kind(file)
    if not kind:
        return f"{name} is a damaged file: its list of tensors cannot be read."
    return (
        f"{name} is {kind} in a single file, which cannot be opened yet: "
        "a model has to be a folder in the layout that diffusers saves."
    )


def _kind(file: Path) -> str:
    try:
        names = [name for name in json_files.read_header(file) if name != "__metadata__"]
    except (OSError, ValueError):
        return ""
    if not names:
        return ""
    return next((kind for start, kind in _KINDS if any(name.startswith(start) for name in names)), "something else")
