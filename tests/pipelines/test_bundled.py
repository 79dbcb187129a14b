"""The bundled model equals diffusers' own pipeline over the same folder."""

from __future__ import annotations

import io
import random

import diffusers
import pytest
import torch
from PIL import Image

import pipelines.autoencoder  # so that diffusers can find the class that the folder names  # noqa: F401
from pipelines import preview
from pipelines.catalog import BUNDLED, Catalog
from pipelines.requests import Sampler
from pipelines.shelf import Shelf
from tests.pipelines.support import START, difference, request, run

SPRITE = BUNDLED / "sprite"
pytestmark = pytest.mark.skipif(
    not (SPRITE / "model_index.json").is_file(), reason="no bundled weights in this checkout"
)
SCHEDULERS = {Sampler.DPMPP_2M: diffusers.DPMSolverMultistepScheduler, Sampler.EULER: diffusers.EulerDiscreteScheduler}


@pytest.fixture(scope="module")
def ours():
    shelf = Shelf(Catalog(), "cpu")
    torch.set_num_threads(1)
    return shelf.pipeline(request(model="sprite"))


def test_a_mixed_batch_equals_diffusers(ours):
    noise = random.Random(0).randbytes(256 * 256 * 3)
    file = io.BytesIO()
    Image.frombytes("RGB", (256, 256), noise).save(file, "PNG")
    asked = [
        request(model="sprite", width=256, height=256, prompt="a red cat", sampler=Sampler.DPMPP_2M, steps=4),
        request(
            model="sprite", width=256, height=256, prompt="a blue house", sampler=Sampler.EULER, guidance_scale=1.0
        ),
        request(model="sprite", width=256, height=256, start_picture=START, strength=0.5, guidance_scale=3.0),
    ]
    states = run(ours, *asked, pictures={START: file.getvalue()})
    opened = diffusers.StableDiffusionPipeline.from_pretrained(SPRITE, local_files_only=True)
    for state in states:
        assert difference(state.latents, _theirs(opened, state.request, file)) <= 1e-4


def _theirs(opened, asked, file) -> torch.Tensor:
    kind = diffusers.StableDiffusionImg2ImgPipeline if asked.start_picture else diffusers.StableDiffusionPipeline
    theirs = kind(**opened.components, requires_safety_checker=False)
    theirs.set_progress_bar_config(disable=True)
    theirs.scheduler = SCHEDULERS[asked.sampler].from_config(opened.scheduler.config)
    size = {"width": 256, "height": 256}
    if asked.start_picture:
        size = {"image": Image.open(file), "strength": asked.strength}
    return theirs(asked.prompt, num_inference_steps=asked.steps, guidance_scale=asked.guidance_scale,
                  generator=torch.Generator().manual_seed(asked.seed), output_type="latent", **size).images  # fmt: skip


@pytest.mark.skipif(not (SPRITE / preview.FILE).is_file(), reason="`python -m pipelines.preview` has not been run yet")
def test_previews_look_like_the_picture(ours):
    (state,) = run(ours, request(model="sprite", width=256, height=256, prompt="a red apple", steps=6))
    picture = Image.open(io.BytesIO(ours.finish(state).data)).resize((8, 8), Image.Resampling.BOX)
    small = ours.preview(state).resize((8, 8), Image.Resampling.BOX)
    pairs = zip(picture.tobytes(), small.tobytes(), strict=True)
    assert sum(abs(a - b) for a, b in pairs) / (8 * 8 * 3) < 40
