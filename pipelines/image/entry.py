"""A picture model of the catalog: its defaults, what a request costs, and whether it can do it. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from pipelines.catalog.entry import Entry, gib
from pipelines.errors import InvalidRequest, ModelUnavailable, TooLarge
from pipelines.image.prompt.ip_adapter_files import AdapterFiles
from pipelines.requests import ImageRequest, Sampler

LCM_STEPS = 50  # the distilled schedule has no more timesteps than that
# Peak activations of one UNet row, in feature maps of the first level's channels and size. Counted by following every
# tensor of a forward: 26.0 for the shapes of SD 1.5 (at any size and number of rows) and of the bundled model, 15.8 for
# those of SDXL; the rest is for what convolutions and attention need for themselves.
MAPS_PER_ROW = 32
TILE = 512  # pixels a side, of the tiles of a large picture where memory is short
# AutoencoderKL's last level begins with 256 channels: they, their norm and its activation, in float32, are alive
# together (3 x 256 x 4), and a little for the convolution.
DECODE_BYTES_PER_PIXEL = 3200
LATENTS, INPAINT, INSTRUCT = "latents", "inpaint", "instruct"


@dataclass(frozen=True, slots=True)
class ImageEntry(Entry[ImageRequest]):
    """A picture model: its defaults and its limits. Sizes in pixels; factor: width and height are multiples of it.

    embeds_guidance: the guidance scale is an input of the UNet (LCM), so that guidance takes no second row.
    inputs: what the UNet sees beside the noisy latents: LATENTS nothing more, INPAINT a mask and the masked picture,
    INSTRUCT the picture that words are to change. adapter: what it looks at pictures of a prompt with; None: nothing.
    changes: low-rank changes of its weights that are merged when it is opened; None: none.
    sketch_steps: so few steps are enough for a picture while somebody types; 0: it is not made for that.
    """

    task: str = "image"
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
    inputs: str = LATENTS
    adapter: AdapterFiles | None = None
    changes: Path | None = None
    sketch_steps: int = 0

    def guides(self, request: ImageRequest) -> bool:
        """Whether its guidance takes more rows. As diffusers: a scale of more than 1, and not an input of the model."""
        if self.inputs == INSTRUCT and request.image_guidance_scale < 1:
            return False
        return request.guidance_scale > 1 and not self.embeds_guidance

    def check(self, request: ImageRequest) -> None:
        Entry.check(self, request)
        check(self, request)

    def fits(self, request: ImageRequest, budget: int, itemsize: int, spare: int = 0) -> None:
        fits(self, request, budget, itemsize, spare)


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
    _check_start(entry, request)
    _check_pictures(entry, request)


def _check_start(entry: ImageEntry, request: ImageRequest) -> None:
    if request.beginning and int(request.steps * request.strength) < 1 and entry.inputs != "instruct":
        least = f"at least {math.ceil(100 / request.steps) / 100:.2f} with {request.steps} steps"
        raise InvalidRequest("strength", request.strength, least)
    if entry.inputs == "instruct" and not request.beginning:
        raise InvalidRequest("start_picture", None, f"a picture: {entry.name} changes one as the words say")
    if request.mask and not request.beginning:
        raise InvalidRequest("mask", "a mask alone", "one with the start picture that it belongs to")
    if request.expand.any and not request.beginning:
        raise InvalidRequest("expand", "margins alone", "margins of a start picture")
    if request.expand.any and request.only_masked:
        raise InvalidRequest("only_masked", True, "off while the picture grows")


def _check_pictures(entry: ImageEntry, request: ImageRequest) -> None:
    if request.blend and request.blend.picture and not request.blended_part:
        raise InvalidRequest("blend.picture", "one alone", "one beside a picture part that says what")
    if not request.shown_parts:
        return
    if entry.adapter is None:
        allowed = f"texts, and one picture that says where: {entry.name} has no image prompts (an IP-Adapter)"
        raise InvalidRequest("parts", "a picture", allowed)
    if entry.adapter.fault:
        raise ModelUnavailable(entry.adapter.fault)


def rows(entry: ImageEntry, request: ImageRequest) -> int:
    """Rows of the model batch: two with guidance, three with that by text and picture."""
    if not entry.guides(request):
        return 1
    return 3 if entry.inputs == "instruct" else 2


def bytes_per_row(entry: ImageEntry, latent_height: int, latent_width: int, itemsize: int) -> int:
    """Predicted peak activation memory of one UNet row."""
    return entry.base_channels * latent_height * latent_width * itemsize * MAPS_PER_ROW


def decoding(request: ImageRequest) -> int:
    """Predicted peak of decoding the picture; a large one is decoded in tiles where memory is short."""
    return min(request.width * request.height, TILE**2) * DECODE_BYTES_PER_PIXEL


def fits(entry: ImageEntry, request: ImageRequest, budget: int, itemsize: int, spare: int = 0) -> None:
    """Raises TooLarge where weights and one picture's activations exceed `budget` bytes (0: no limit).

    Weights that `spare` bytes of main memory can hold are brought to the device by turns, and do not count.
    """
    height, width = request.height // entry.factor, request.width // entry.factor
    denoising = rows(entry, request) * bytes_per_row(entry, height, width, itemsize)
    weights = entry.weight_bytes(itemsize) + looking(entry, request)
    needed = max(denoising, decoding(request)) + (weights if weights > spare else 0)
    if budget and needed > budget:
        raise TooLarge(
            f"{entry.name} at {request.width} x {request.height} needs about {gib(needed)} of memory, "
            f"and {gib(budget)} may be used; a smaller size or model fits."
        )


def looking(entry: ImageEntry, request: ImageRequest) -> int:
    """Bytes of what the model looks at pictures with, where the request shows it some."""
    return entry.adapter.stored_bytes if entry.adapter and request.shown_parts else 0
