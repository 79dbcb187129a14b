"""What a request costs and whether a model can do it, before any memory is taken. No torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import InvalidRequest, TooLarge
from pipelines.requests import ImageRequest, Sampler

if TYPE_CHECKING:
    from pipelines.entry import Entry, ImageEntry

LCM_STEPS = 50  # the distilled schedule has no more timesteps than that
# Peak activations of one UNet row, in feature maps of the widest level's size (an estimate on the safe side).
MAPS_PER_ROW = 64
DECODE_BYTES_PER_PIXEL = 2600  # AutoencoderKL's last level: 128 channels in float32, five of them alive


def check(entry: ImageEntry, request: ImageRequest) -> None:
    """Raises InvalidRequest with the first field that this model cannot do."""
    for side in ("width", "height"):
        if getattr(request, side) % entry.factor:
            raise InvalidRequest(side, getattr(request, side), f"a multiple of {entry.factor} for {entry.name}")
    if request.width * request.height > entry.max_pixels:
        size = f"{request.width} x {request.height}"
        raise InvalidRequest("size", size, f"at most {entry.max_pixels:,} pixels for {entry.name}")
    if request.sampler not in entry.samplers:
        raise InvalidRequest("sampler", str(request.sampler), f"one of {', '.join(entry.samplers)} for {entry.name}")
    if request.sampler == Sampler.LCM and request.steps > LCM_STEPS:
        raise InvalidRequest("steps", request.steps, f"at most {LCM_STEPS} with the LCM sampler")
    if request.start_picture and int(request.steps * request.strength) < 1:
        raise InvalidRequest(
            "strength", request.strength, f"at least {1 / request.steps:.2f} with {request.steps} steps"
        )


def model_calls(request: ImageRequest) -> int:
    """UNet calls from noise, or from the start picture at its strength. Heun makes two a step but one in the last."""
    steps = min(int(request.steps * request.strength), request.steps) if request.start_picture else request.steps
    return max(2 * steps - 1, 0) if request.sampler == Sampler.HEUN else steps


def rows(entry: ImageEntry, request: ImageRequest) -> int:
    """Rows of the model batch: two with guidance."""
    return 2 if entry.guides(request.guidance_scale) else 1


def bytes_per_row(entry: ImageEntry, latent_height: int, latent_width: int, itemsize: int) -> int:
    """Predicted peak activation memory of one UNet row."""
    return entry.base_channels * latent_height * latent_width * itemsize * MAPS_PER_ROW


def fits(entry: ImageEntry, request: ImageRequest, budget: int, itemsize: int) -> None:
    """Raises TooLarge where weights and one picture's activations exceed `budget` bytes (0: no limit)."""
    height, width = request.height // entry.factor, request.width // entry.factor
    denoising = rows(entry, request) * bytes_per_row(entry, height, width, itemsize)
    needed = entry.weight_bytes(itemsize) + max(denoising, request.width * request.height * DECODE_BYTES_PER_PIXEL)
    if budget and needed > budget:
        raise TooLarge(
            f"{entry.name} at {request.width} x {request.height} needs about {_gib(needed)} of memory, "
            f"and {_gib(budget)} may be used; a smaller size or model fits."
        )


def weights_fit(entry: Entry, budget: int, itemsize: int) -> None:
    """Raises TooLarge where the weights alone exceed `budget` bytes (0: no limit)."""
    needed = entry.weight_bytes(itemsize)
    if budget and needed > budget:
        raise TooLarge(f"{entry.name} needs about {_gib(needed)} of memory, and {_gib(budget)} may be used.")


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
