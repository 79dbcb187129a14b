"""What a person may ask of a picture model."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipelines.requests.common import MAX_SEED, RANDOM_SEED, Asked, ModelId, Seed, Sha256, Text, drawn
from pipelines.requests.compose import MAX_PARTS, Blend, Margins, Part, Role, too_many


class Sampler(StrEnum):
    """The user's names for the noise schedulers of diffusers."""

    EULER = "Euler"
    EULER_A = "Euler a"
    DPMPP_2M = "DPM++ 2M"
    DPMPP_2M_KARRAS = "DPM++ 2M Karras"
    DPMPP_SDE = "DPM++ SDE"
    UNIPC = "UniPC"
    DDIM = "DDIM"
    LCM = "LCM"
    HEUN = "Heun"


Pixels = Annotated[int, Field(ge=64, le=2048, multiple_of=8)]


class ImageRequest(Asked):
    """One picture, or `count` of them.

    width, height: pixels. guidance_scale: classifier-free guidance (Ho & Salimans 2022); at most 1 means none.
    seed: 0…2³²−1, or −1 for a random one; picture i of `count` is made with seed + i.
    start_picture: SHA-256 of a stored picture that denoising starts from; strength 0…1 is how far it may go away.
    early_stop: of several, give those up after a third of the steps that agree less with the prompt than others.
    group: an id that pictures asked for together share; drawn, not given.
    filmstrip: give eight frames from noise to picture, side by side, instead of the picture.
    parts: more of the prompt, in texts and pictures. A *where* picture is the start picture if there is no other.
    gate: 0 hears the texts alone, 1 the pictures alone, 0.5 both in full. auto_gate: moved while the picture is made,
    so that neither drowns.
    mask: a stored picture, white where the start picture may change (inpainting). mask_blur: pixels that its edge is
    softened by. only_masked: the masked region is made at full resolution, with mask_padding pixels around it.
    expand: how far the picture grows at each side (outpainting); width and height are those of the result.
    image_guidance_scale: how closely a model that edits by instruction keeps to the start picture (Brooks et al. 2023).
    blend: another prompt, picture or noise to be mixed with.
    """

    kind: Literal["image"] = "image"
    prompt: Text = ""
    negative_prompt: Text = ""
    width: Pixels = 256
    height: Pixels = 256
    steps: Annotated[int, Field(ge=1, le=150)] = 20
    guidance_scale: Annotated[float, Field(ge=0, le=30)] = 4.0
    sampler: Sampler = Sampler.DPMPP_2M
    seed: Seed = RANDOM_SEED
    count: Annotated[int, Field(ge=1, le=8)] = 1
    model: ModelId = "sprite"
    start_picture: Sha256 | None = None
    strength: Annotated[float, Field(gt=0, le=1)] = 0.6
    early_stop: bool = False
    group: Annotated[str, Field(max_length=32)] = ""
    filmstrip: bool = False
    parts: Annotated[tuple[Part, ...], Field(max_length=MAX_PARTS)] = ()
    gate: Annotated[float, Field(ge=0, le=1)] = 0.5
    auto_gate: bool = False
    mask: Sha256 | None = None
    mask_blur: Annotated[int, Field(ge=0, le=64)] = 4
    only_masked: bool = False
    mask_padding: Annotated[int, Field(ge=0, le=256)] = 32
    expand: Margins = Margins()
    image_guidance_scale: Annotated[float, Field(ge=0, le=10)] = 1.5
    blend: Blend | None = None

    @field_validator("parts")
    @classmethod
    def _few_pictures(cls, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        if said := too_many(parts):
            raise ValueError(said)
        return parts

    def singles(self) -> list[ImageRequest]:
        """`count` requests for one picture each, with the seeds drawn; of a strip, one for each frame, all with one
        seed and in a group of their own."""
        first = drawn(self.seed)
        seeds = [(first + i) % (MAX_SEED + 1) for i in range(self.count)]
        if self.blend and self.blend.frames > 1:
            return [frame for seed in seeds for frame in self._strip(self.blend, seed)]
        group = secrets.token_hex(8) if self.count > 1 else ""
        return [self.model_copy(update={"seed": seed, "count": 1, "group": group}) for seed in seeds]

    def _strip(self, blend: Blend, seed: int) -> list[ImageRequest]:
        """Its frames compete with nobody: each is wanted."""
        same = {"seed": seed, "count": 1, "group": secrets.token_hex(8), "early_stop": False}
        return [self.model_copy(update=same | {"blend": frame}) for frame in blend.strip()]

    def uploads(self) -> tuple[str, ...]:
        named = (self.start_picture, self.mask, self.blend and self.blend.picture, *(p.picture for p in self.parts))
        return tuple(dict.fromkeys(sha for sha in named if sha))

    @property
    def beginning(self) -> str | None:
        """SHA-256 of the picture that denoising starts from: the start picture, or the part that says where."""
        where = (p.picture for p in self.parts if _where(p))
        return self.start_picture or next(where, None)

    @property
    def shown_parts(self) -> tuple[Part, ...]:
        """The parts whose pictures the model is to look at: not the one that denoising starts from."""
        begins = None if self.start_picture else next((p for p in self.parts if _where(p)), None)
        return tuple(p for p in self.parts if p.picture and p is not begins)

    @property
    def blended_part(self) -> Part | None:
        """The one that the blend's picture is mixed with."""
        return next((p for p in self.parts if p.picture and p.role == Role.WHAT), None)

    @property
    def words(self) -> str:
        said = (p.text.strip() for p in self.parts if p.text and p.role != Role.NOT)
        return ", ".join(text for text in (self.prompt, *said) if text)

    @property
    def alike(self) -> tuple[int, ...]:
        return self.width, self.height

    @property
    def expected_steps(self) -> int:
        """Model calls from noise, or from the start picture at its strength. Heun: two a step but one in the last."""
        steps = min(int(self.steps * self.strength), self.steps) if self.beginning else self.steps
        return max(2 * steps - 1, 0) if self.sampler == Sampler.HEUN else steps

    @property
    def expected_rows(self) -> int:
        return 2 if self.guidance_scale > 1 else 1


def _where(part: Part) -> bool:
    return bool(part.picture) and part.role == Role.WHERE
