"""A few-step variant: the denoiser with its guidance learnt in, as low-rank changes.

Guidance distillation (Meng et al. 2023, the first of their two stages): one call of the student says what two calls of
the teacher say with guidance. A multistep solver of second order then needs four calls for nearly the picture that the
teacher draws in twenty steps of two calls each, so the second stage, which learns to skip steps, has nothing to do.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from pipelines.catalog.folders import FEW_STEP
from pipelines.image.model.lora import merge
from pipelines.training.loop import Run, part
from pipelines.training.models.image import denoiser, lora
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

GUIDANCE = 3.0
BATCH = 32
STEPS = 4
FILE = FEW_STEP
SAMPLER = "DPM++ 2M"


def points(number: int = STEPS) -> np.ndarray:
    """Timesteps int64 (number,) that a sampler of so many steps asks for, the most noisy first ("trailing")."""
    return np.round(np.arange(denoiser.STEPS, 0, -denoiser.STEPS / number)).astype(np.int64) - 1


def draw_times(draw: np.random.Generator, size: int) -> Tensor:
    """Timesteps int64 (size,): half of them where the few steps are, the others as the denoiser's were drawn."""
    few, any_ = draw.choice(points(), size), denoiser.draw_times(draw, size)
    return torch.from_numpy(np.where(draw.random(size) < 0.5, few, any_))


def guided(teacher: UNet2DConditionModel, noisy: Tensor, times: Tensor, states: Tensor, nothing: Tensor) -> Tensor:
    """The teacher's velocity with guidance, both halves in one batch."""
    both = torch.cat([nothing.expand_as(states), states])
    empty, asked = teacher(torch.cat([noisy] * 2), torch.cat([times] * 2), both, return_dict=False)[0].chunk(2)
    return empty + GUIDANCE * (asked - empty)


def few_step_loss(
    student: UNet2DConditionModel, teacher: UNet2DConditionModel, text: CLIPTextModel, nothing: Tensor,
    important: Tensor | None = None,
) -> Callable:  # fmt: skip
    """Mean squared distance of the student's velocity from the teacher's with guidance, channels weighted.

    `nothing` is the tokens (32,) of the empty prompt; important: (16,), all alike without. Batches: latents, token
    ids, timesteps.
    """
    angle = torch.from_numpy(denoiser.angles()).float()
    weight = 1.0 if important is None else important[:, None, None]

    def loss(batch: tuple[Tensor, Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, int]:
        latents, ids, times = batch
        alpha, sigma = (f(angle[times])[:, None, None, None] for f in (torch.cos, torch.sin))
        noisy = alpha * latents + sigma * torch.randn(latents.shape, generator=generator)
        noisy = noisy.contiguous(memory_format=torch.channels_last)
        with autocast():
            with torch.no_grad():
                states = text(input_ids=ids).last_hidden_state
                empty = text(input_ids=nothing[None].long()).last_hidden_state
                target = guided(teacher, noisy, times, states, empty)
            shown = student(noisy, times, states, return_dict=False)[0]
        return (weight * (shown.float() - target.float()).square()).mean(), len(latents)

    return loss


def train(
    folder: Path, text: CLIPTextModel, tokens: CLIPTokenizer, teacher: UNet2DConditionModel, minutes: float,
    important: Tensor | None = None, known: Path | None = None,
) -> Run:  # fmt: skip
    """One cycle of `minutes`; the student is the teacher with changes, which begin at those of the file `known`."""
    examples = denoiser.everyday_examples(folder, tokens)
    run, loss = prepare(folder / "few-step", text, teacher, examples.nothing, important)
    if not run.resume() and known:
        run.model.take_up(known)
        run.settle()
    run.train(lambda draw: asked(examples.batch(draw, BATCH), examples, draw), loss, run.cycle(minutes))
    return run


def prepare(
    folder: Path, text: CLIPTextModel, teacher: UNet2DConditionModel, nothing: Tensor, important: Tensor | None = None
) -> tuple[Run, Callable]:
    """The run of a student's changes and its loss."""
    student = type(teacher).from_config(teacher.config)
    student.load_state_dict(teacher.state_dict())
    for unet in (student, teacher):
        unet.to(memory_format=torch.channels_last).set_attn_processor(denoiser.AttnProcessor())
    teacher.eval().requires_grad_(False)
    changes = lora.Changes(student.train())
    loss = few_step_loss(student, teacher, text.eval().requires_grad_(False), nothing, important)
    return Run(folder, changes, Muon(split(changes, muon=0.0, adam=1e-3), weight_decay=0.0), decay=0.995), loss


def export(folder: Path, unet: UNet2DConditionModel, path: Path) -> None:
    """Write the averaged changes of a run's checkpoint in `folder`; `unet` is only asked for its parts."""
    changes = lora.Changes(type(unet).from_config(unet.config))
    changes.save(path, part(load_file(folder / "state.safetensors"), "average."), sampler=SAMPLER)


def asked(
    batch: tuple[Tensor, Tensor, Tensor], examples: denoiser.Examples, draw: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """The batch at the student's times, without its empty prompts: they are for guidance, and it has none."""
    latents, ids, _ = batch
    empty = (ids == examples.nothing).all(1)
    rows = torch.from_numpy(draw.integers(0, len(examples.chinese), len(ids)))
    latents = torch.where(empty[:, None, None, None], examples.latents[rows].float(), latents)
    return latents, torch.where(empty[:, None], examples.english[rows, 0].long(), ids), draw_times(draw, len(ids))


def quicken(pipe: StableDiffusionPipeline, path: Path) -> StableDiffusionPipeline:
    """The pipeline with the file's changes merged: call it with `STEPS` steps and guidance 1."""
    merge(pipe.unet, path)
    return pipe
