"""Low-rank changes beside a model are a second model, which draws as the merged weights draw with diffusers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from diffusers import LCMScheduler, StableDiffusionPipeline
from safetensors.torch import load_file, save_file

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.folders import FEW_STEP
from pipelines.errors import ModelUnavailable
from pipelines.image.model.lora import merge
from pipelines.requests import Sampler
from pipelines.runtime.model_pool import ModelPool
from tests.pipelines.support.image_requests import difference, request, run
from tests.support.rounding import assert_same_latents
from tests.support.tiny import tiny_few_step


@pytest.fixture
def parent(models: Path, tmp_path: Path) -> Path:
    """A folder of models with one of which changes lie beside the weights."""
    shutil.copytree(models / "sd", tmp_path / "sd")
    tiny_few_step(tmp_path / "sd")
    return tmp_path


def test_the_variant_is_a_model_with_its_own_habits(parent: Path):
    found = {entry.id: entry for entry in Catalog([parent]).entries("image") if entry.source == "folder"}
    fast = found["sd-fast"]
    assert (fast.steps, fast.guidance_scale, fast.sampler, fast.name) == (4, 1.0, Sampler.LCM, "sd fast")
    assert (fast.factor, fast.width, fast.stored_bytes) == (found["sd"].factor, 64, found["sd"].stored_bytes)
    assert found["sd"].changes is None


def test_changes_say_which_sampler_they_were_made_for(parent: Path):
    file = parent / "sd" / FEW_STEP
    for said, sampler in (("DPM++ 2M", Sampler.DPMPP_2M), ("of another world", Sampler.LCM)):
        save_file(load_file(file), file, metadata={"sampler": said})
        assert Catalog([parent]).find("sd-fast").sampler == sampler


def test_it_draws_what_diffusers_draws_with_the_merged_weights(parent: Path):
    asked = {"steps": 4, "guidance_scale": 1.0, "sampler": Sampler.LCM}
    fast, plain = (run(open_image(parent, name), request(model=name, **asked))[0] for name in ("sd-fast", "sd"))
    theirs = StableDiffusionPipeline.from_pretrained(parent / "sd", safety_checker=None)
    merge(theirs.unet, parent / "sd" / FEW_STEP)
    theirs.scheduler = LCMScheduler.from_config(theirs.scheduler.config, clip_sample=False)
    wanted = theirs(
        "the red cat", width=64, height=64, num_inference_steps=4, guidance_scale=1.0, output_type="latent",
        generator=torch.Generator().manual_seed(7),
    ).images  # fmt: skip
    assert_same_latents(fast.latents, wanted)
    assert difference(plain.latents, wanted) > 1e-2


def test_changes_of_another_model_are_a_sentence(parent: Path):
    tensors = load_file(parent / "sd" / FEW_STEP)
    save_file({k.replace("mid_block", "no_block"): v for k, v in tensors.items()}, parent / "sd" / FEW_STEP)
    with pytest.raises(ModelUnavailable, match="unet cannot be opened"):
        open_image(parent, "sd-fast")


def open_image(parent: Path, name: str):
    return ModelPool(Catalog([parent]), "cpu").pipeline(request(model=name))
