"""Low-rank changes of a denoiser's weights (LoRA, Hu et al. 2021), merged into them when a model is opened.

The file is what diffusers and peft write: `unet.<module>.lora_A.weight` and `.lora_B.weight`, the change being B A.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

DOWN, UP = ".lora_A.weight", ".lora_B.weight"


@torch.no_grad()
def merge(model: nn.Module, path: Path, scale: float = 1.0) -> nn.Module:
    """Add a file's changes to `model`'s weights for good. Raises ValueError for a module that the model lacks."""
    tensors, modules = load_file(path), dict(model.named_modules())
    for key in [k for k in tensors if k.endswith(DOWN)]:
        name = key.removeprefix("unet.").removesuffix(DOWN)
        if name not in modules:
            raise ValueError(f"lora: the model has no {name[:80]}.")
        down, up, weight = tensors[key], tensors[key.replace(DOWN, UP)], modules[name].weight
        weight += scale * (up.flatten(1).float() @ down.flatten(1).float()).view_as(weight).to(weight)
    return model
