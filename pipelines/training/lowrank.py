"""Low-rank changes of a network's weights (LoRA, Hu et al. 2021): trained apart, stored small, merged when opened.

The file is what diffusers and peft write: `unet.<module>.lora_A.weight` and `.lora_B.weight`, the change being B A.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils import parametrize

RANK = 16
NARROWEST = 64


class Change(nn.Module):
    """A weight plus B A; `up` begins at nought, so that at first nothing is changed."""

    def __init__(self, weight: Tensor, rank: int):
        super().__init__()
        rows, self.kernel = weight.flatten(1), tuple(weight.shape[1:])
        self.down = nn.Parameter(torch.randn(rank, rows.shape[1]) / rows.shape[1] ** 0.5)
        self.up = nn.Parameter(torch.zeros(rows.shape[0], rank))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (self.up @ self.down).view_as(weight)


class Changes(nn.Module):
    """The changes of all wide linear maps and convolutions of `model`, whose own weights are locked from here on."""

    def __init__(self, model: nn.Module, rank: int = RANK, narrowest: int = NARROWEST):
        super().__init__()
        model.requires_grad_(False)
        self.names, self.parts = [], nn.ModuleList()
        for name, module in list(model.named_modules()):
            if isinstance(module, nn.Linear | nn.Conv2d) and min(module.weight.flatten(1).shape) >= narrowest:
                change = Change(module.weight, rank)
                parametrize.register_parametrization(module, "weight", change)
                self.names.append(name)
                self.parts.append(change)

    def tensors(self, weights: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """What the file holds, float16, of these changes or of their averaged `weights`."""
        weights = weights or self.state_dict()
        found = {}
        for number, (name, part) in enumerate(zip(self.names, self.parts, strict=True)):
            down, up = weights[f"parts.{number}.down"], weights[f"parts.{number}.up"]
            up = up[..., None, None] if len(part.kernel) == 3 else up
            found[f"unet.{name}.lora_A.weight"] = down.view(-1, *part.kernel).half().contiguous()
            found[f"unet.{name}.lora_B.weight"] = up.half().contiguous()
        return found

    def save(self, path: Path, weights: dict[str, Tensor] | None = None) -> None:
        """Write the file."""
        save_file(self.tensors(weights), path, metadata={"format": "pt"})


@torch.no_grad()
def merge(model: nn.Module, path: Path, scale: float = 1.0) -> nn.Module:
    """Add a file's changes to `model`'s weights for good. Raises ValueError for a module that the model lacks."""
    tensors, modules = load_file(path), dict(model.named_modules())
    for key in [k for k in tensors if k.endswith(".lora_A.weight")]:
        name = key.removeprefix("unet.").removesuffix(".lora_A.weight")
        if name not in modules:
            raise ValueError(f"lora: the model has no {name[:80]}.")
        down, up = tensors[key], tensors[key.replace("lora_A", "lora_B")]
        weight = modules[name].weight
        weight += scale * (up.flatten(1).float() @ down.flatten(1).float()).view_as(weight).to(weight.dtype)
    return model
