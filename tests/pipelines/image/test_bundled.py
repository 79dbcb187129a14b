"""The bundled model equals diffusers' own pipeline over the same folder."""

from __future__ import annotations

import io
import random
import shutil

import diffusers
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPImageProcessorPil, CLIPVisionModelWithProjection

import pipelines.image.model.autoencoder  # so that diffusers can find the class that the folder names  # noqa: F401
from pipelines.catalog.catalog import BUNDLED, Catalog
from pipelines.catalog.folders import FEW_STEP
from pipelines.image import preview
from pipelines.image.model.lora import merge
from pipelines.requests import Sampler
from pipelines.runtime.model_pool import ModelPool
from tests.pipelines.support.image_requests import START, difference, request, run
from tests.support.rounding import assert_same_latents

SPRITE = BUNDLED / "sprite"
MASK = "b" * 64
pytestmark = pytest.mark.skipif(
    not (SPRITE / "model_index.json").is_file(), reason="no bundled weights in this checkout"
)
SCHEDULERS = {Sampler.DPMPP_2M: diffusers.DPMSolverMultistepScheduler, Sampler.EULER: diffusers.EulerDiscreteScheduler}


@pytest.fixture(scope="module")
def ours():
    shelf = ModelPool(Catalog(), "cpu")
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
        assert_same_latents(state.latents, _theirs(opened, state.request, file))


def test_the_fast_variant_equals_diffusers_with_the_changes_merged():
    entry = Catalog().find("sprite-fast")
    habits = {"sampler": entry.sampler, "steps": entry.steps, "guidance_scale": entry.guidance_scale}
    asked = request(model="sprite-fast", width=256, height=256, prompt="a yellow car", **habits)
    (state,) = run(ModelPool(Catalog(), "cpu").pipeline(asked), asked)
    opened = diffusers.StableDiffusionPipeline.from_pretrained(SPRITE, local_files_only=True)
    merge(opened.unet, SPRITE / FEW_STEP)
    assert (entry.steps, entry.guidance_scale) == (4, 1.0)
    assert_same_latents(state.latents, _theirs(opened, asked))


def _theirs(opened, asked, file=None, **more) -> torch.Tensor:
    kind = diffusers.StableDiffusionImg2ImgPipeline if asked.start_picture else diffusers.StableDiffusionPipeline
    theirs = kind(**opened.components, requires_safety_checker=False)
    theirs.set_progress_bar_config(disable=True)
    theirs.scheduler = SCHEDULERS[asked.sampler].from_config(opened.scheduler.config)
    if asked.start_picture:
        more |= {"image": Image.open(file), "strength": asked.strength}
    else:
        more |= {"width": 256, "height": 256}
    return theirs(asked.prompt, num_inference_steps=asked.steps, guidance_scale=asked.guidance_scale,
                  generator=torch.Generator().manual_seed(asked.seed), output_type="latent", **more).images  # fmt: skip


def test_a_masked_job_equals_what_diffusers_does_with_a_mask(ours):
    """Its inpainting pipeline takes four channels only, so: its img2img, with the same held after every step."""
    file, mask = io.BytesIO(), Image.new("L", (256, 256), 0)
    Image.effect_mandelbrot((256, 256), (-2, -1.5, 1, 1.5), 100).convert("RGB").save(file, "PNG")
    mask.paste(255, (64, 96, 192, 224))  # whole cells
    drawn = io.BytesIO()
    mask.save(drawn, "PNG")
    asked = request(model="sprite", width=256, height=256, start_picture=START, mask=MASK, strength=0.75, steps=8,
                    sampler=Sampler.DPMPP_2M)  # fmt: skip
    plain = request(model="sprite", width=256, height=256, seed=9, guidance_scale=1.0)
    state, _ = run(ours, asked, plain, pictures={START: file.getvalue(), MASK: drawn.getvalue()})
    opened = diffusers.StableDiffusionPipeline.from_pretrained(SPRITE, local_files_only=True)
    cells = torch.zeros(1, 1, 8, 8)
    cells[..., 3:7, 2:6] = 1

    def hold(pipe, step, timestep, seen):
        draws = torch.Generator().manual_seed(asked.seed)
        noise = torch.randn(seen["latents"].shape, generator=draws)
        clean = opened.vae.encode(pipe.image_processor.preprocess(Image.open(file))).latent_dist.mode()
        coming = pipe.scheduler.timesteps[2:][step + 1 : step + 2]  # a quarter of the eight steps is left out
        there = pipe.scheduler.add_noise(clean, noise, coming) if len(coming) else clean
        return {"latents": (1 - cells) * there + cells * seen["latents"]}

    assert_same_latents(state.latents, _theirs(opened, asked, file, callback_on_step_end=hold))


def test_pictures_in_the_prompt_equal_diffusers(tmp_path):
    """With an adapter of the format that the bundled one has; what it has learnt does not matter here."""
    from pipelines.training.models.image import image_prompt

    shutil.copytree(SPRITE, tmp_path / "sprite", ignore=shutil.ignore_patterns(image_prompt.FILE))
    (tmp_path / "sprite-clip").symlink_to(BUNDLED / "sprite-clip")
    clip = CLIPVisionModelWithProjection.from_pretrained(BUNDLED / "sprite-clip", dtype=torch.float32).eval()
    bare = diffusers.UNet2DConditionModel.from_pretrained(SPRITE / "unet")
    projection = image_prompt.resampler(clip.config.hidden_size, bare.config.cross_attention_dim)
    weights = image_prompt.fresh(bare, projection)
    named = {f"{kind}.{name}": value.contiguous() for kind, some in weights.items() for name, value in some.items()}
    save_file(named, tmp_path / "sprite" / image_prompt.FILE)

    ours = ModelPool(Catalog([], bundled=tmp_path), "cpu").pipeline(request(model="sprite"))
    file, picture = io.BytesIO(), Image.effect_mandelbrot((256, 256), (-2, -1.5, 1, 1.5), 100).convert("RGB")
    picture.save(file, "PNG")
    fields = {"model": "sprite", "width": 256, "height": 256, "sampler": Sampler.DPMPP_2M, "steps": 4}
    asked = request(parts=[{"picture": START, "weight": 0.8}], **fields)
    state, plain = run(ours, asked, request(seed=8, **fields), pictures={START: file.getvalue()})
    opened = diffusers.StableDiffusionPipeline.from_pretrained(SPRITE, local_files_only=True)
    assert_same_latents(plain.latents, _theirs(opened, plain.request, file))
    eyes = CLIPImageProcessorPil.from_pretrained(BUNDLED / "sprite-clip")
    opened.register_modules(image_encoder=clip, feature_extractor=eyes)
    opened.load_ip_adapter(tmp_path / "sprite", "", image_prompt.FILE, low_cpu_mem_usage=False)
    opened.set_ip_adapter_scale(0.8)
    assert_same_latents(state.latents, _theirs(opened, asked, file, ip_adapter_image=picture))
    assert difference(state.latents, plain.latents) > 1e-2


@pytest.mark.skipif(
    not (SPRITE / preview.FILE).is_file(),
    reason="`python -m pipelines.training.evaluation.preview_fit` has not been run yet",
)
def test_previews_look_like_the_picture(ours):
    (state,) = run(ours, request(model="sprite", width=256, height=256, prompt="a red apple", steps=6))
    picture = Image.open(io.BytesIO(ours.finish(state).data)).resize((8, 8), Image.Resampling.BOX)
    small = ours.preview(state).resize((8, 8), Image.Resampling.BOX)
    pairs = zip(picture.tobytes(), small.tobytes(), strict=True)
    assert sum(abs(a - b) for a, b in pairs) / (8 * 8 * 3) < 40
