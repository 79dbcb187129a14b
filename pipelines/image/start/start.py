"""What denoising starts from: noise, a start picture, or a picture of which a part is held. Draws are diffusers'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pipelines.image.interpolation import slerp
from pipelines.image.start import latents, masks
from pipelines.image.start.canvas import Canvas
from pipelines.requests import RANDOM_SEED, ImageRequest

if TYPE_CHECKING:
    from PIL.Image import Image

    from pipelines.image.model.parts import Parts


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A start picture of which only a part may change, as StableDiffusionInpaintPipeline does it for ordinary models.

    mask: (1, 1, h, w), 1 where it may. clean: its latents, noise: what they were noised with, both (1, C, h, w).
    """

    mask: Tensor
    clean: Tensor
    noise: Tensor

    def back(self, moved: Tensor, sampler: Any, coming: Tensor) -> Tensor:
        """The latents after a step, what must not change as it is at the `coming` timestep (1-D; empty: none is)."""
        there = sampler.add_noise(self.clean, self.noise, coming) if len(coming) else self.clean
        return (1 - self.mask) * there + self.mask * moved

    def foreseen(self, clean: Tensor) -> Tensor:
        """A prediction of the finished latents, what must not change as it will be."""
        return (1 - self.mask) * self.clean + self.mask * clean


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """latents: (1, C, h, w) in the sampler's scale. beside: more channels that the UNet sees at every step."""

    latents: Tensor
    held: Held | None = None
    beside: Tensor | None = None


class Starter:
    """Of one job. canvas: None starts from noise."""

    def __init__(self, request: ImageRequest, parts: Parts, sampler: Any, draws: torch.Generator):
        self._request, self._parts, self._sampler, self._draws = request, parts, sampler, draws

    def start(self, canvas: Canvas | None, first: Tensor) -> Start:
        """first: the first timestep that is walked, 1-D."""
        if self._parts.kind == "instruct" and canvas:
            return self._instructed(canvas)
        if self._parts.kind == "inpaint":
            return self._with_mask_beside(canvas, first)
        if canvas is None:
            return Start(self._pure(self._noise()))
        before = self._draws.get_state()
        clean = self._clean(canvas)
        drew = not torch.equal(before, self._draws.get_state())
        noise = self._noise()  # in this order, as both may draw
        held = self._held(canvas, clean, noise)
        if held and drew:
            latents.noise(tuple(noise.shape), self._parts, self._draws)  # diffusers draws for one more picture
        return Start(self._noised(clean, noise, first, held is not None), held)

    def _with_mask_beside(self, canvas: Canvas | None, first: Tensor) -> Start:
        """Nine channels: latents, mask, and the latents of the picture with what is masked greyed out."""
        clean = None if canvas is None or self._request.strength == 1 else self._clean(canvas)
        noise = self._noise()
        begun = self._pure(noise) if clean is None else self._noised(clean, noise, first, False)
        white, pixels = self._masked(canvas)
        seen = latents.normalise(latents.encoded(pixels, self._parts, self._draws), self._parts.vae)
        return Start(begun, beside=torch.cat([white, seen], dim=1))

    def _instructed(self, canvas: Canvas) -> Start:
        """InstructPix2Pix (Brooks et al. 2023): the picture's latents, neither sampled nor scaled, beside the noise."""
        pixels = latents.to_tensor(canvas.start)
        beside = latents.encoded(pixels, self._parts, None)
        noise = self._noise()
        held = self._held(canvas, latents.normalise(beside, self._parts.vae), noise)
        return Start(self._pure(noise), held, beside)

    def _held(self, canvas: Canvas, clean: Tensor, noise: Tensor) -> Held | None:
        return None if canvas.mask is None else Held(self._cells(canvas.mask), clean, noise)

    def _masked(self, canvas: Canvas | None) -> tuple[Tensor, Tensor]:
        """(1, 1, h, w) of where it may change, and (1, 3, H, W) of what is not to."""
        request, parts = self._request, self._parts
        if canvas is None or canvas.mask is None:
            cells = (1, 1, request.height // parts.factor, request.width // parts.factor)
            return torch.ones(cells, device=parts.device, dtype=parts.dtype), torch.zeros(
                1, 3, request.height, request.width
            )
        black = masks.on_latents(canvas.mask, 1) < 0.5
        return self._cells(canvas.mask), latents.to_tensor(canvas.start) * black

    def _cells(self, mask: Image) -> Tensor:
        return masks.on_latents(mask, self._parts.factor).to(self._parts.device, self._parts.dtype)

    def _clean(self, canvas: Canvas) -> Tensor:
        pixels = latents.to_tensor(canvas.start)
        return latents.normalise(latents.encoded(pixels, self._parts, self._draws), self._parts.vae)

    def _noise(self) -> Tensor:
        request, parts = self._request, self._parts
        channels = parts.unet.config.out_channels
        shape = (1, channels, request.height // parts.factor, request.width // parts.factor)
        noise, blend = latents.noise(shape, parts, self._draws), request.blend
        if blend is None or blend.seed == RANDOM_SEED:
            return noise
        return slerp(noise, latents.noise(shape, parts, latents.generator(blend.seed)), blend.at, whole=True)

    def _pure(self, noise: Tensor) -> Tensor:
        return noise * self._sampler.init_noise_sigma

    def _noised(self, clean: Tensor, noise: Tensor, first: Tensor, held: bool) -> Tensor:
        """diffusers' inpainting, unlike its img2img, takes pure noise where nothing of the picture is to be kept."""
        if held and self._request.strength == 1:
            return self._pure(noise)
        return self._sampler.add_noise(clean, noise, first)
