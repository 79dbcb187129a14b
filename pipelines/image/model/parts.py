"""A picture model's parts on their device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from pipelines.image.entry import LATENTS
from pipelines.runtime.devices import nbytes


@dataclass(slots=True, eq=False)
class Parts:
    """A model's parts on their device. factor: pixels a latent cell. zero_empty_negative: SDXL's base model.
    kind: what its denoiser sees, as `ImageEntry.inputs`.

    nbytes: weights on the device at most. tile_above: pictures of more pixels are coded in tiles; 0: none.
    """

    unet: Any
    vae: Any
    text_encoders: list[Any]
    tokenizers: list[Any]
    scheduler_config: dict[str, Any]
    factor: int
    device: torch.device
    dtype: torch.dtype
    memory_format: torch.memory_format
    sdxl: bool = False
    zero_empty_negative: bool = False
    kind: str = LATENTS
    tile_above: int = 0
    nbytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.nbytes = nbytes(self.unet, self.vae, *self.text_encoders)
