"""A few-step variant: the denoiser's own guided solution, learnt as low-rank changes (LCM-LoRA, Luo et al. 2023).

Consistency distillation on the angles of the schedule (Luo et al. 2023; Lu & Song 2024): from a noisy picture the
teacher, with guidance, goes one step down; what the student makes of the picture before that step must be what it
makes of it after. Velocity prediction meets the boundary by itself: at angle nought the picture is the prediction.
The teacher's guidance is learnt along, so that the student draws in 4 steps without any.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import LCMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from ..folders import FEW_STEP
from ..lowrank import merge
from . import denoiser, lowrank
from .optimizer import Muon, split
from .run import Run, part

POINTS = 26
GUIDANCE = 3.0
BATCH = 32
STEPS = 4
FILE = FEW_STEP
SOFT = 0.03


def points(number: int = POINTS) -> Tensor:
    """Timesteps int64 (number,): nought, then evenly to the most noisy, on the grid that LCM's sampler draws from."""
    return (torch.arange(number) * (denoiser.STEPS // (number - 1)) - 1).clamp(min=0)


def onward(noisy: Tensor, velocity: Tensor, begin: Tensor, end: Tensor) -> Tensor:
    """The picture at angle `end` on the line through `noisy` at `begin`: DDIM's step (Song et al. 2020) in angles."""
    turn = (begin - end)[:, None, None, None]
    return turn.cos() * noisy - turn.sin() * velocity


def guided(teacher: UNet2DConditionModel, noisy: Tensor, times: Tensor, states: Tensor, nothing: Tensor) -> Tensor:
    """The teacher's velocity with guidance, both halves in one batch."""
    both = torch.cat([nothing.expand_as(states), states])
    empty, asked = teacher(torch.cat([noisy] * 2), torch.cat([times] * 2), both, return_dict=False)[0].chunk(2)
    return empty + GUIDANCE * (asked - empty)


def few_step_loss(
    student: UNet2DConditionModel, teacher: UNet2DConditionModel, text: CLIPTextModel, nothing: Tensor
) -> Callable:
    """Pseudo-Huber distance between the student's pictures at two neighbouring points of the teacher's path.

    `nothing` is the tokens (32,) of the empty prompt.
    """
    angle, steps = torch.from_numpy(denoiser.angles()).float(), points()
    nowhere = torch.zeros(1)

    def picture(unet: UNet2DConditionModel, noisy: Tensor, times: Tensor, states: Tensor) -> Tensor:
        velocity = unet(noisy, times, states, return_dict=False)[0].float()
        return onward(noisy, velocity, angle[times], nowhere)

    def loss(batch: tuple[Tensor, Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, int]:
        latents, ids, _ = batch
        place = torch.randint(1, len(steps), (len(latents),), generator=generator)
        times, before = steps[place], steps[place - 1]
        noise = torch.randn(latents.shape, generator=generator)
        begin, end = angle[times], angle[before]
        noisy = begin.cos()[:, None, None, None] * latents + begin.sin()[:, None, None, None] * noise
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                states = text(input_ids=ids).last_hidden_state
                empty = text(input_ids=nothing[None].long()).last_hidden_state
                velocity = guided(teacher, noisy, times, states, empty).float()
                target = picture(student, onward(noisy, velocity, begin, end), before, states)
            shown = picture(student, noisy, times, states)
        far = (shown - target).square().mean((1, 2, 3))
        return ((far + SOFT**2).sqrt() - SOFT).mean(), len(latents)

    return loss


def train(
    folder: Path, text: CLIPTextModel, tokens: CLIPTokenizer, teacher: UNet2DConditionModel, minutes: float
) -> Run:
    """One cycle of `minutes`; the student is the teacher with changes."""
    examples = denoiser.everyday_examples(folder, tokens)
    run, loss = prepare(folder / "few-step", text, teacher, examples.nothing)
    run.resume()
    run.train(lambda draw: asked(examples.batch(draw, BATCH), examples, draw), loss, run.cycle(minutes))
    return run


def prepare(folder: Path, text: CLIPTextModel, teacher: UNet2DConditionModel, nothing: Tensor) -> tuple[Run, Callable]:
    """The run of a student's changes and its loss."""
    student = type(teacher).from_config(teacher.config)
    student.load_state_dict(teacher.state_dict())
    for unet in (student, teacher):
        unet.to(memory_format=torch.channels_last).set_attn_processor(denoiser.AttnProcessor())
    teacher.eval().requires_grad_(False)
    changes = lowrank.Changes(student.train())
    loss = few_step_loss(student, teacher, text.eval().requires_grad_(False), nothing)
    return Run(folder, changes, Muon(split(changes, muon=0.0, adam=1e-3), weight_decay=0.0), decay=0.995), loss


def export(folder: Path, unet: UNet2DConditionModel, path: Path) -> None:
    """Write the averaged changes of a run's checkpoint in `folder`; `unet` is only asked for its parts."""
    changes = lowrank.Changes(type(unet).from_config(unet.config))
    changes.save(path, part(load_file(folder / "state.safetensors"), "average."))


def asked(
    batch: tuple[Tensor, Tensor, Tensor], examples: denoiser.Examples, draw: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """The batch without its empty prompts: they are drawn for guidance, of which the student has none."""
    latents, ids, times = batch
    empty = (ids == examples.nothing).all(1)
    rows = torch.from_numpy(draw.integers(0, len(examples.chinese), len(ids)))
    latents = torch.where(empty[:, None, None, None], examples.latents[rows].float(), latents)
    return latents, torch.where(empty[:, None], examples.english[rows, 0].long(), ids), times


def quicken(pipe: StableDiffusionPipeline, path: Path) -> StableDiffusionPipeline:
    """The pipeline with the file's changes merged and LCM's sampler: call it with `STEPS` steps and guidance 1."""
    merge(pipe.unet, path)
    pipe.scheduler = LCMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
    return pipe
