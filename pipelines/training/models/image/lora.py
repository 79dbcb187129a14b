"""Low-rank changes of a network's weights, while they are trained; `pipelines.image.model.lora` merges what is saved
here."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils import parametrize

from pipelines.image.model.lora import DOWN, UP

RANK = 8
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

    @torch.no_grad()
    def take_up(self, path: Path) -> None:
        """Begin at the changes of a file. They may have been made for other weights of the same shapes: what was
        learnt holds in the main."""
        stored = load_file(path)
        for name, part in zip(self.names, self.parts, strict=True):
            part.down.copy_(stored[f"unet.{name}{DOWN}"].flatten(1))
            part.up.copy_(stored[f"unet.{name}{UP}"].flatten(1))

    def tensors(self, weights: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """What the file holds, float16, of these changes or of their averaged `weights`."""
        weights = weights or self.state_dict()
        found = {}
        for number, (name, part) in enumerate(zip(self.names, self.parts, strict=True)):
            down, up = weights[f"parts.{number}.down"], weights[f"parts.{number}.up"]
            up = up[..., None, None] if len(part.kernel) == 3 else up
            found[f"unet.{name}{DOWN}"] = down.view(-1, *part.kernel).half().contiguous()
            found[f"unet.{name}{UP}"] = up.half().contiguous()
        return found

    def save(self, path: Path, weights: dict[str, Tensor] | None = None, **more: str) -> None:
        """Write the file; more: what its header says beside."""
        save_file(self.tensors(weights), path, metadata={"format": "pt", **more})
