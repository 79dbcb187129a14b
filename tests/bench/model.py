"""The model that is measured: the bundled one, or a stand-in of its size where its weights are not there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import diffusers
import torch

from pipelines.catalog.catalog import BUNDLED, Catalog
from pipelines.image.pipeline import ImagePipeline
from pipelines.requests import ImageRequest, Request
from pipelines.runtime.model_pool import ModelPool
from tests.support.tiny import tiny_sd

STAND_IN = {
    "block_out_channels": (96, 192),
    "layers_per_block": 2,
    "attention_head_dim": 32,
    "norm_num_groups": 16,
    "down_block_types": ("CrossAttnDownBlock2D",) * 2,
    "up_block_types": ("CrossAttnUpBlock2D",) * 2,
}
PROMPTS = (
    "a red bird",
    "the sea at night",
    "two green trees",
    "a small house",
    "a cat",
    "a blue fish",
    "hills",
    "rain",
)


@dataclass(frozen=True, slots=True)
class Model:
    """`folder` holds model folders; `id` is the one that is measured."""

    id: str
    folder: Path
    shelf: ModelPool
    pipeline: ImagePipeline
    reference: diffusers.StableDiffusionPipeline

    @property
    def bundled(self) -> bool:
        return self.id == "sprite"

    def request(self, number: int = 0, **more: object) -> ImageRequest:
        """Without guidance if not asked otherwise, so that one picture is one row."""
        entry = self.pipeline.entry
        plain = {"width": entry.width, "height": entry.height, "guidance_scale": 1.0, "steps": 20}
        return ImageRequest(prompt=PROMPTS[number % 8], seed=number, model=self.id, **(plain | more))


class Bare(ModelPool):
    """Pictures are not scored, as diffusers' pipelines score nothing either; `warm_picture_seconds` has it all."""

    def scores(self, request: Request) -> bool:
        return False


def quiet() -> None:
    """The libraries' progress bars and remarks are not part of the table."""
    from huggingface_hub.utils import disable_progress_bars
    from transformers.utils import logging

    disable_progress_bars()
    logging.disable_progress_bar()
    logging.set_verbosity_error()


def find(scratch: Path) -> str:
    """The id of the model; the stand-in is made in `scratch`."""
    if (BUNDLED / "sprite" / "model_index.json").is_file():
        return "sprite"
    if not (scratch / "standin").exists():
        tiny_sd(scratch / "standin", **STAND_IN)
    return "standin"


def open_model(scratch: Path) -> Model:
    """Ours and diffusers' own pipeline over the very same modules, so that weights and memory formats are equal."""
    torch.manual_seed(0)
    id = find(scratch)
    shelf = Bare(Catalog([scratch]), "auto")
    pipeline = shelf.pipeline(ImageRequest(model=id, width=64, height=64))
    parts = pipeline.parts
    reference = diffusers.StableDiffusionPipeline(
        vae=parts.vae, text_encoder=parts.text_encoders[0], tokenizer=parts.tokenizers[0], unet=parts.unet,
        scheduler=diffusers.DPMSolverMultistepScheduler.from_config(parts.scheduler_config),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)  # fmt: skip
    reference.set_progress_bar_config(disable=True)
    return Model(id, scratch, shelf, pipeline, reference)
