"""Ours equals diffusers' own pipelines for the same request and seed: alone, and in any mix of jobs."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import diffusers
import pytest
import torch
from PIL import Image

from pipelines.image.pipeline import ImagePipeline
from pipelines.requests import ImageRequest, Sampler
from tests.pipelines.support.image_requests import START, forwards, request, run
from tests.support.rounding import assert_same_forward, assert_same_latents

SCHEDULERS = {
    Sampler.EULER: lambda c: diffusers.EulerDiscreteScheduler.from_config(c),
    Sampler.EULER_A: lambda c: diffusers.EulerAncestralDiscreteScheduler.from_config(c),
    Sampler.DPMPP_2M: lambda c: diffusers.DPMSolverMultistepScheduler.from_config(c),
    Sampler.DPMPP_2M_KARRAS: lambda c: diffusers.DPMSolverMultistepScheduler.from_config(c, use_karras_sigmas=True),
    Sampler.DPMPP_SDE: lambda c: diffusers.DPMSolverSinglestepScheduler.from_config(
        c, algorithm_type="sde-dpmsolver++", lower_order_final=True
    ),
    Sampler.UNIPC: lambda c: diffusers.UniPCMultistepScheduler.from_config(c),
    Sampler.DDIM: lambda c: diffusers.DDIMScheduler.from_config(c),
    Sampler.LCM: lambda c: diffusers.LCMScheduler.from_config(c),
    Sampler.HEUN: lambda c: diffusers.HeunDiscreteScheduler.from_config(c),
}
PIPELINES = {
    (False, False): diffusers.StableDiffusionPipeline,
    (False, True): diffusers.StableDiffusionImg2ImgPipeline,
    (True, False): diffusers.StableDiffusionXLPipeline,
    (True, True): diffusers.StableDiffusionXLImg2ImgPipeline,
}
Reference = Callable[[ImageRequest], torch.Tensor]


@pytest.fixture(scope="module")
def reference(models: Path, picture: bytes) -> Reference:
    """The final latents (1, C, h, w) that diffusers' own pipeline gives for a request; each is computed once."""
    opened = {}

    def pipe(model: str, kind: type):
        if (model, kind) not in opened:
            opened[model, kind] = kind.from_pretrained(models / model, local_files_only=True)
            opened[model, kind].set_progress_bar_config(disable=True)
            opened[model, kind].original_config = opened[model, kind].scheduler.config
        return opened[model, kind]

    @cache
    def latents(asked: ImageRequest) -> torch.Tensor:
        kind = PIPELINES[asked.model == "sdxl", asked.start_picture is not None]
        theirs = pipe(asked.model, kind)
        theirs.scheduler = SCHEDULERS[asked.sampler](theirs.original_config)
        size = {"width": asked.width, "height": asked.height}
        if asked.start_picture:
            size = {"image": Image.open(io.BytesIO(picture)), "strength": asked.strength}
        return theirs(
            asked.prompt,
            negative_prompt=asked.negative_prompt or None,
            num_inference_steps=asked.steps,
            guidance_scale=asked.guidance_scale,
            generator=torch.Generator().manual_seed(asked.seed),
            output_type="latent",
            **size,
        ).images

    return latents


def mixture(model: str) -> list[ImageRequest]:
    """Every sampler, with and without guidance and a start picture, other steps, seeds, scales and prompts."""
    prompts = ["the red cat", "", "a cat", "קשת 🌈", "the the the the the red"]
    asked = []
    for i, sampler in enumerate(Sampler):
        for guidance in (1.0, 3.0 + i / 2):
            for start in (None, START):
                n = len(asked)
                fields = {"steps": 3 + n % 4, "seed": n, "prompt": prompts[n % 5], "start_picture": start}
                negative = "a red dog" if n % 3 == 0 else ""
                asked.append(request(model=model, sampler=sampler, guidance_scale=guidance, strength=0.75,
                                     negative_prompt=negative, **fields))  # fmt: skip
    return asked


@pytest.mark.parametrize("model", ["sd", "sdxl"])
@pytest.mark.parametrize("sampler", list(Sampler))
def test_alone_equals_diffusers(sampler, model, pipeline, reference: Reference, picture: bytes):
    for asked in mixture(model):
        if asked.sampler == sampler:
            (state,) = run(pipeline(model), asked, pictures={START: picture})
            assert_same_latents(state.latents, reference(asked))


@pytest.mark.parametrize("model", ["sd", "sdxl"])
def test_every_mix_equals_diffusers(model, pipeline, reference: Reference, picture: bytes):
    """Jobs join at different steps, and leave as they finish."""
    ours, asked = pipeline(model), mixture(model)
    waiting = [ours.prepare(each, {START: picture}) for each in asked]
    every, going = list(waiting), []
    while waiting or going:
        going += [waiting.pop(0) for _ in range(min(5, len(waiting)))]
        ours.step(going)
        going = [state for state in going if state.steps_left]
    for state in every:
        assert_same_latents(state.latents, reference(state.request), state.request)


@pytest.mark.parametrize("model", ["lcm", "turbo", "v", "sample", "taesd"])
@pytest.mark.parametrize("sampler", [Sampler.LCM, Sampler.EULER, Sampler.DPMPP_2M, Sampler.DPMPP_SDE])
def test_other_kinds_of_models_equal_diffusers(model, sampler, pipeline, reference: Reference, picture: bytes):
    asked = [
        request(model=model, sampler=sampler, guidance_scale=4.0, seed=1),
        request(model=model, sampler=sampler, guidance_scale=1.0, seed=2, steps=3),
        request(model=model, sampler=sampler, start_picture=START, strength=0.5, seed=3, steps=6),
    ]
    for state in run(pipeline(model), *asked, pictures={START: picture}):
        assert_same_latents(state.latents, reference(state.request))


def test_leaving_a_batch_changes_nothing_for_the_others(pipeline, reference: Reference):
    ours = pipeline("sd")
    kept, leaves = request(seed=1, steps=5), request(seed=2, steps=5)
    states = [ours.prepare(kept, {}), ours.prepare(leaves, {})]
    ours.step(states)
    ours.step(states)
    while states[0].steps_left:
        ours.step(states[:1])
    assert_same_latents(states[0].latents, reference(kept))


@pytest.mark.parametrize("model", ["sd", "sdxl"])
def test_one_forward_of_a_batch_equals_one_alone(model, pipeline):
    ours: ImagePipeline = pipeline(model)
    requests = [request(model=model, seed=i, guidance_scale=1.0 + i % 3, steps=2 + i) for i in range(6)]
    together = [ours.prepare(asked, {}) for asked in requests]
    alone = [ours.prepare(asked, {}) for asked in requests]
    for one, other in zip(forwards(ours, together), alone, strict=True):
        assert_same_forward(one, *forwards(ours, [other]))
