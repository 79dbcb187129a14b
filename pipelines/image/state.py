"""One picture in the making: everything that belongs to its job alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pipelines.errors import TriptychError
from pipelines.image import samplers
from pipelines.image.prompt.composition import Composed
from pipelines.image.prompt.conditioning import Conditioning
from pipelines.image.start.canvas import Canvas
from pipelines.image.start.start import Held
from pipelines.requests import ImageRequest

FILM_FRAMES = 8


@dataclass(slots=True, eq=False)
class Prediction:
    """Of the latest step. sample: what the UNet saw, output: what it answered after guidance, both (1, C, h, w)."""

    sample: Tensor
    output: Tensor
    timestep: float


@dataclass(slots=True, eq=False)
class ImageState:
    """latents: (1, C, h, w), noisy, in the sampler's own scale. timesteps: 1-D on the CPU, one for every model call.

    composed: what the conditioning was made of, and gate, how. canvas: the picture that it began with; held: what of
    its latents must not change.
    """

    request: ImageRequest
    sampler: Any
    timesteps: Tensor
    generator: torch.Generator
    latents: Tensor
    conditioning: Conditioning
    composed: Composed | None = None
    gate: float = 0.5
    canvas: Canvas | None = None
    held: Held | None = None
    notes: list[str] = field(default_factory=list)
    error: TriptychError | None = None
    index: int = 0
    prediction: Prediction | None = None
    frames: list[Tensor] = field(default_factory=list)
    times: list[float] = field(init=False)
    options: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.times = self.timesteps.tolist()
        self.options = samplers.options(self.sampler, self.generator)

    @property
    def steps_total(self) -> int:
        """Model calls; for a second-order sampler more than the request's steps."""
        return len(self.times)

    @property
    def steps_left(self) -> int:
        return self.steps_total - self.index

    @property
    def rows(self) -> int:
        return self.conditioning.rows

    @property
    def doing(self) -> str:
        """Where the automatic gate has moved to, as texts and pictures are heard; "" if nowhere, and at the end."""
        if not self.request.auto_gate or self.gate == self.request.gate or not self.steps_left:
            return ""
        text, pictures = (round(100 * min(1, 2 * part)) for part in (1 - self.gate, self.gate))
        return f"auto: text {text} %, pictures {pictures} %"

    def clean_latents(self) -> Tensor:
        """(1, C, h, w): the finished latents as far as they can be foreseen now."""
        seen = self.prediction
        if seen is None or not self.steps_left:
            return self.latents
        clean = samplers.clean(self.sampler, seen.sample, seen.output, seen.timestep)
        return clean if self.held is None else self.held.foreseen(clean)

    def hold(self, moved: Tensor) -> Tensor:
        """The latents after this step, with what must not change put back."""
        if self.held is None:
            return moved
        return self.held.back(moved, self.sampler, self.timesteps[self.index + 1 : self.index + 2])

    def film(self) -> None:
        """Keeps this step's prediction if it is one of eight evenly spaced steps; the last is the picture itself."""
        if not self.request.filmstrip:
            return
        count = min(FILM_FRAMES, self.steps_total)
        if self.index in {round((i + 1) * self.steps_total / count) for i in range(count)}:
            self.frames.append(self.clean_latents().clone())
