"""One model of the catalog, as plain data. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines import checks
from pipelines.requests import ImageRequest, Sampler


@dataclass(frozen=True, slots=True)
class Entry:
    """One model: its defaults and its limits. Sizes in pixels; factor: width and height are multiples of it.

    source: "bundled", "folder" or "hub". folder: where it lies; None: not on this machine yet.
    embeds_guidance: the guidance scale is an input of the UNet (LCM), so that guidance takes no second row.
    stored_bytes: size of the weight files; stored_itemsize: bytes of one number in them.
    """

    id: str
    name: str
    source: str
    folder: Path | None = None
    revision: str | None = None
    family: str = "sd"
    factor: int = 8
    width: int = 512
    height: int = 512
    max_pixels: int = 2048 * 2048
    steps: int = 20
    guidance_scale: float = 7.0
    sampler: Sampler = Sampler.DPMPP_2M
    samplers: tuple[Sampler, ...] = tuple(Sampler)
    embeds_guidance: bool = False
    prediction_type: str = "epsilon"
    base_channels: int = 320
    latent_channels: int = 4
    stored_bytes: int = 0
    stored_itemsize: int = 4
    note: str = ""

    def guides(self, guidance_scale: float) -> bool:
        """Whether that scale takes a second row. As diffusers: more than 1, and not an input of the model."""
        return guidance_scale > 1 and not self.embeds_guidance

    def weight_bytes(self, itemsize: int) -> int:
        """Memory of the weights when loaded with numbers of that size."""
        return self.stored_bytes * itemsize // self.stored_itemsize

    def check(self, request: ImageRequest) -> None:
        """Raises InvalidRequest with the first field that this model cannot do."""
        checks.check(self, request)
