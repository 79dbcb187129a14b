"""Write trained weights as standard folders: float16 safetensors, replaced in one rename."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import (
    BertTokenizerFast,
    BlipForConditionalGeneration,
    BlipImageProcessorPil,
    BlipProcessor,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPTextModel,
    CLIPTokenizer,
)

from pipelines.image.model.autoencoder import SpriteAutoencoder
from pipelines.training.loop import part
from pipelines.training.models.image.denoiser import STEPS, betas

# Written by hand, but for the adapter, which goes on fitting a denoiser that has learnt a little more, and the names.
KEPT = ("README.md", "triptych.json", "image-prompt.safetensors", "vocabulary.txt")


def averaged(folder: Path) -> dict[str, Tensor]:
    """The averaged weights of a run's checkpoint."""
    return part(load_file(folder / "state.safetensors"), "average.")


def sampler() -> DPMSolverMultistepScheduler:
    """The schedule that the denoiser was trained on, with DPM++ 2M as the default sampler."""
    return DPMSolverMultistepScheduler(
        num_train_timesteps=STEPS, trained_betas=betas(), prediction_type="v_prediction", timestep_spacing="trailing",
        steps_offset=1, solver_order=2, algorithm_type="dpmsolver++", final_sigmas_type="zero",
    )  # fmt: skip


def replace(target: Path, write: Callable[[Path], None], also: Sequence[str] = ()) -> None:
    """Let `write` fill a new folder, keep the old one's card and defaults and what `also` names, then put the new in
    the old one's place."""
    fresh, old = target.with_name(target.name + ".new"), target.with_name(target.name + ".old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    write(fresh)
    for name in (*KEPT, *also):
        if (target / name).exists() and not (fresh / name).exists():
            shutil.copy(target / name, fresh / name)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def half(model: nn.Module) -> nn.Module:
    """The model in float16, contiguous, for saving."""
    return model.half().to(memory_format=torch.contiguous_format)


def open_as_float32(config: Path) -> None:
    """Let transformers open these float16 weights as float32: half precision is a way to store, not to compute here."""
    values = json.loads(config.read_text())
    values["dtype"] = "float32"
    config.write_text(json.dumps(values, indent=2) + "\n")


def image_model(
    target: Path, text: CLIPTextModel, tokens: CLIPTokenizer, unet: UNet2DConditionModel, vae: SpriteAutoencoder,
    also: Sequence[str] = (),
) -> None:  # fmt: skip
    """The picture model in Stable Diffusion's layout; files beside it that `also` names stay."""

    def write(folder: Path) -> None:
        pipe = StableDiffusionPipeline(
            vae=half(vae), text_encoder=half(text), tokenizer=tokens, unet=half(unet), scheduler=sampler(),
            safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip
        pipe.save_pretrained(folder, safe_serialization=True)
        open_as_float32(folder / "text_encoder" / "config.json")
        index = json.loads((folder / "model_index.json").read_text())
        index["vae"] = ["pipelines.image.model.autoencoder", "SpriteAutoencoder"]
        (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")

    replace(target, write, also)


def image_processor(size: int = 64) -> CLIPImageProcessorPil:
    """CLIP's preprocessing with the PIL backend: no torchvision needed."""
    return CLIPImageProcessorPil(
        size={"shortest_edge": size},
        crop_size={"height": size, "width": size},
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )


def clip_model(target: Path, clip: CLIPModel, tokens: CLIPTokenizer) -> None:
    """CLIPModel, its tokenizer and its image processor."""

    def write(folder: Path) -> None:
        half(clip).save_pretrained(folder, safe_serialization=True)
        open_as_float32(folder / "config.json")
        tokens.save_pretrained(folder)
        image_processor().save_pretrained(folder)

    replace(target, write)


def captioner_model(target: Path, model: BlipForConditionalGeneration, words: BertTokenizerFast) -> None:
    """The captioner with BlipProcessor's files; its pictures are Sprite CLIP's: 64 px, scaled to [-1, 1]."""

    def write(folder: Path) -> None:
        model.generation_config.max_length = words.model_max_length
        half(model).save_pretrained(folder, safe_serialization=True)
        open_as_float32(folder / "config.json")
        side = {"height": 64, "width": 64}
        BlipProcessor(
            BlipImageProcessorPil(size=side, image_mean=[0.5] * 3, image_std=[0.5] * 3), words
        ).save_pretrained(folder)

    replace(target, write)
