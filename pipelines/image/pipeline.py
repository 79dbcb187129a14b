"""Text (and a start picture) to a picture: Stable Diffusion 1.x/2.x, SDXL, their distilled kin, and our own model."""

from __future__ import annotations

import io
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import torch
from PIL import Image
from torch import Tensor

from pipelines.base import Artifact, Piece
from pipelines.errors import NotFinite
from pipelines.image import entry as checks
from pipelines.image import samplers
from pipelines.image.denoise import Denoiser
from pipelines.image.entry import INSTRUCT
from pipelines.image.model.ip_attention import Shown
from pipelines.image.model.parts import Parts
from pipelines.image.preview import Preview
from pipelines.image.prompt import composition, ip_adapter
from pipelines.image.prompt.composition import Composed
from pipelines.image.prompt.conditioning import Conditioning, PromptReader, scale_embedding
from pipelines.image.start import latents
from pipelines.image.start.canvas import prepared
from pipelines.image.start.start import Start, Starter
from pipelines.image.state import ImageState
from pipelines.requests import ImageRequest
from pipelines.runtime.out_of_memory import out_of_memory_is_ours

if TYPE_CHECKING:
    from pipelines.image.entry import ImageEntry
    from pipelines.image.prompt.ip_adapter import Adapter
Key = tuple[tuple[int, ...], int]  # of a batch: latent shape, tokens


class ImagePipeline:
    """A `base.Pipeline` over the parts of one diffusion model. Only weights are shared between its states."""

    def __init__(self, parts: Parts, entry: ImageEntry):
        self.parts, self.entry = parts, entry
        self._prompts, self._denoiser = PromptReader(parts), Denoiser(parts, self._adapter)
        self._looking: Adapter | None = None
        self._preview, self._samplers = Preview(parts, entry), samplers.Samplers(parts.scheduler_config)

    def check(self, request: ImageRequest) -> None:
        """InvalidRequest where this model cannot do what the request asks for."""
        checks.check(self.entry, request)

    @property
    def nbytes(self) -> int:
        """Memory of the weights."""
        return self.parts.nbytes + (self._looking.nbytes if self._looking else 0)

    def pieces(self, state: ImageState) -> list[Piece]:
        """None: a picture is whole or not yet one."""
        return []

    @out_of_memory_is_ours
    @torch.inference_mode()
    def prepare(self, request: ImageRequest, pictures: Mapping[str, bytes]) -> ImageState:
        """Encodes the prompt, draws the noise. pictures: encoded files by their SHA-256.

        Raises InvalidRequest, BadUpload, OutOfMemory.
        """
        self.check(request)
        notes: list[str] = []
        canvas = prepared(request, pictures, notes)
        draws = latents.generator(request.seed)
        sampler = self._samplers.fresh(request.sampler)
        strength = request.strength if canvas and self.entry.inputs != INSTRUCT else None
        timesteps = samplers.schedule(sampler, request.steps, strength)
        start = Starter(request, self.parts, sampler, draws).start(canvas, timesteps[:1])
        composed = self._composed(request, pictures, start, notes)
        return ImageState(request, sampler, timesteps, draws, start.latents, composed.at(request.gate), composed,
                          request.gate, canvas, start.held, notes)  # fmt: skip

    def batch_key(self, state: ImageState) -> Key:
        """(latent shape, tokens): jobs of one model with equal keys take their steps together."""
        return (tuple(state.latents.shape[1:]), state.conditioning.positive.embeds.shape[1])

    def lacks(self, request: ImageRequest) -> int:
        """Bytes of weights that it will bring in beside those that are open: what pictures are looked at with."""
        return checks.looking(self.entry, request) if self._looking is None else 0

    def weighs(self, state: ImageState) -> bool:
        """Whether there are texts and pictures for a gate to weigh."""
        return state.composed is not None and state.composed.empty is not None and bool(state.request.words.strip())

    def turn(self, state: ImageState, gate: float) -> None:
        """Weighs texts against pictures anew, from the next step on: 0…1, as `ImageRequest.gate`."""
        if state.composed:
            state.gate, state.conditioning = gate, state.composed.at(gate)

    @out_of_memory_is_ours
    def step(self, states: Sequence[ImageState]) -> None:
        """One model call for all of them. Raises OutOfMemory, then none has moved; sets `error` of NaN states."""
        self._denoiser.step(states)

    @torch.inference_mode()
    def preview(self, state: ImageState) -> Image.Image | None:
        """A small picture from the current prediction, by a linear map; None before the first step."""
        return None if state.prediction is None else self._preview(state.clean_latents())

    @out_of_memory_is_ours
    @torch.inference_mode()
    def foreseen(self, state: ImageState) -> Image.Image:
        """The finished picture as far as it can be foreseen now, decoded in full. Raises NotFinite, OutOfMemory."""
        return self._decoded(state, state.clean_latents())

    @out_of_memory_is_ours
    @torch.inference_mode()
    def finish(self, state: ImageState) -> Artifact:
        """The picture, or the filmstrip, as PNG without metadata. Raises NotFinite, OutOfMemory."""
        if state.error:
            raise state.error
        frames = [self._decoded(state, frame) for frame in (state.frames or [state.latents])]
        image = frames[0] if len(frames) == 1 else _strip(frames)
        return Artifact("image", "image/png", _png(image), self._info(state, image))

    def bytes_per_row(self, key: Hashable) -> int:
        """Predicted peak activation memory of one more row of a batch with that `batch_key`."""
        (_, height, width), _ = cast(Key, key)
        return checks.bytes_per_row(self.entry, height, width, self.parts.dtype.itemsize)

    def _composed(self, request: ImageRequest, pictures: Mapping, start: Start, notes: list[str]) -> Composed:
        parts, guided = self.parts, self.entry.guides(request)
        positive, negative, empty = composition.texts(self._prompts, request, guided, notes)
        sizes = embedding = None
        if parts.sdxl:  # original size, crop, target size (Podell et al. 2023, section 2.2)
            box = (request.height, request.width, 0, 0, request.height, request.width)
            sizes = torch.tensor([box], dtype=positive.embeds.dtype, device=parts.device)
        if size := parts.unet.config.time_cond_proj_dim:
            embedding = scale_embedding(request.guidance_scale, size).to(parts.device, parts.dtype)
        scale = request.image_guidance_scale if self.entry.inputs == INSTRUCT else None
        shown, unshown = self._shown(request, pictures, guided, notes)
        heard = Conditioning(
            positive, negative, request.guidance_scale, sizes, embedding, start.beside, scale, shown, unshown
        )
        return Composed(heard, empty if shown else None)

    def _shown(self, request: ImageRequest, pictures: Mapping, guided: bool, notes: list[str]) -> tuple[Shown, Shown]:
        if not request.shown_parts:
            return (), ()
        return composition.pictures(self._adapter(), request, pictures, guided, notes)

    def _adapter(self) -> Adapter:
        """Opened when the first picture is shown, here or in a state of a pipeline that has been put away."""
        if self._looking is None:
            self._looking = ip_adapter.load(self.entry, self.parts)
        return self._looking

    def _decoded(self, state: ImageState, frame: Tensor) -> Image.Image:
        image, finite = latents.decode(frame, self.parts)
        if not finite:
            raise NotFinite("The picture came out of the decoder broken (NaN); other settings may help.")
        return state.canvas.finished(image) if state.canvas else image

    def _info(self, state: ImageState, image: Image.Image) -> dict:
        asked = state.request.model_dump(mode="json", include={"seed", "steps", "sampler", "guidance_scale", "model"})
        turned = {"gate": round(state.gate, 3)} if state.request.auto_gate else {}
        return {"width": image.width, "height": image.height, **asked, **turned, "notes": list(state.notes)}


def _strip(frames: Sequence[Image.Image]) -> Image.Image:
    """Side by side, earliest on the left."""
    width, height = frames[0].size
    strip = Image.new("RGB", (width * len(frames), height))
    for i, frame in enumerate(frames):
        strip.paste(frame, (i * width, 0))
    return strip


def _png(image: Image.Image) -> bytes:
    """Level 2: a third less time than level 4 for a sixth more bytes."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=2)
    return file.getvalue()
