"""Model folders as other programs and older versions wrote them: drawn as by diffusers, or refused when listed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel

from pipelines.catalog.catalog import Catalog
from pipelines.errors import ModelUnavailable
from pipelines.requests import Sampler
from pipelines.runtime.model_pool import ModelPool
from tests.pipelines.support.image_requests import difference, request, run

INDEX, NOISE, UNET = "model_index.json", "scheduler/scheduler_config.json", "unet/config.json"
Change = Callable[[Path], None]


def changed(part: str, gone: tuple[str, ...] = (), **fields: object) -> Change:
    def change(folder: Path) -> None:
        known = json.loads((folder / part).read_text()) | fields
        (folder / part).write_text(json.dumps({key: value for key, value in known.items() if key not in gone}))

    return change


def scheduler(kind: str, **fields: object) -> Change:
    def change(folder: Path) -> None:
        changed(INDEX, scheduler=["diffusers", kind])(folder)
        changed(NOISE, _class_name=kind, **fields)(folder)

    return change


def saved_in_pieces(variant: str | None) -> Change:
    def change(folder: Path) -> None:
        for part, kind in (("unet", UNet2DConditionModel), ("vae", AutoencoderKL), ("text_encoder", CLIPTextModel)):
            model = kind.from_pretrained(folder / part)
            shutil.rmtree(folder / part)
            model.save_pretrained(folder / part, variant=variant, max_shard_size="40KB")
            assert len(list((folder / part).glob("*.safetensors"))) > 1

    return change


def renamed(variant: str) -> Change:
    def change(folder: Path) -> None:
        for file in list(folder.rglob("*.safetensors")):
            file.rename(file.with_name(file.name.replace(".safetensors", f".{variant}.safetensors")))

    return change


def no_window(folder: Path) -> None:
    (folder / "tokenizer/tokenizer_config.json").unlink()


def refiner(folder: Path) -> None:
    changed(INDEX, text_encoder=[None, None], tokenizer=[None, None], requires_aesthetics_score=True)(folder)
    for part in ("text_encoder", "tokenizer"):
        shutil.rmtree(folder / part)


def both(*changes: Change) -> Change:
    def change(folder: Path) -> None:
        for each in changes:
            each(folder)

    return change


OPENS = {  # model -> what is done to it: what diffusers draws with it is what it drew before, or draws now
    "no tokenizer config": no_window,
    "no longest text": changed("tokenizer/tokenizer_config.json", gone=("model_max_length",)),
    "half precision in pieces": saved_in_pieces("fp16"),
    "in pieces": saved_in_pieces(None),
    "bf16": renamed("bf16"),
    "a variant of a name of its own": renamed("mine"),
    "a scheduler that needs scipy": scheduler("LMSDiscreteScheduler"),
    "a scheduler that needs torchsde": scheduler("DPMSolverSDEScheduler"),
    "another class in the index": changed(INDEX, scheduler=["diffusers", "PNDMScheduler"]),
    "nulls": both(changed(UNET, sample_size=None, class_embed_type=None), changed(NOISE, prediction_type=None)),
    "left out": both(
        changed(UNET, gone=("sample_size", "in_channels", "out_channels", "time_cond_proj_dim")),
        changed(NOISE, gone=("prediction_type", "timestep_spacing", "_class_name")),
    ),
}


@pytest.mark.parametrize("name", OPENS)
def test_an_odd_folder_draws_what_diffusers_draws(name: str, models: Path, tmp_path: Path):
    shutil.copytree(models / "sd", tmp_path / "odd")
    OPENS[name](tmp_path / "odd")
    asked = request(model="odd", sampler=Sampler.DPMPP_2M, steps=5, guidance_scale=4.0)
    (state,) = run(ModelPool(Catalog([tmp_path]), "cpu").pipeline(asked), asked)
    theirs = _theirs(models / "sd", tmp_path / "odd")
    expected = theirs(asked.prompt, num_inference_steps=5, guidance_scale=4.0, width=64, height=64,
                      generator=torch.Generator().manual_seed(asked.seed), output_type="latent").images  # fmt: skip
    assert difference(state.latents, expected) <= 1e-5 * expected.abs().max().item() + 1e-6


def _theirs(plain: Path, odd: Path) -> diffusers.StableDiffusionPipeline:
    """diffusers' own pipeline over the folder before it was changed, with the scheduler's numbers as they are now.

    No weight is another; and diffusers itself cannot open some of these.
    """
    theirs = diffusers.StableDiffusionPipeline.from_pretrained(plain, local_files_only=True)
    theirs.set_progress_bar_config(disable=True)
    given = {key: value for key, value in json.loads((odd / NOISE).read_text()).items() if value is not None}
    named = json.loads((odd / INDEX).read_text())["scheduler"][1]
    kind = diffusers.PNDMScheduler if named == "PNDMScheduler" else diffusers.DDIMScheduler
    config = dict(kind.from_config(given | {"_class_name": kind.__name__}).config) | {"steps_offset": 1}
    theirs.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(config)
    return theirs


REFUSED = {
    "EDM": (scheduler("EDMDPMSolverMultistepScheduler"), "EDMDPMSolverMultistepScheduler, which is not supported"),
    "flow": (scheduler("FlowMatchEulerDiscreteScheduler"), "FlowMatchEulerDiscreteScheduler, which is not supported"),
    "flow by a flag": (scheduler("UniPCMultistepScheduler", use_flow_sigmas=True), "flow matching"),
    "flow by what it predicts": (changed(NOISE, prediction_type="flow_prediction"), "flow matching"),
    "continuous time": (scheduler("EulerDiscreteScheduler", timestep_type="continuous"), "not supported yet"),
    "what it predicts": (changed(NOISE, prediction_type="velocity"), "predicts velocity"),
    "a curve": (changed(NOISE, beta_schedule="mine"), "scheduler's settings"),
    "betas of words": (changed(NOISE, trained_betas=["a"]), "scheduler's settings"),
    "no timesteps": (changed(NOISE, num_train_timesteps=0), "scheduler's settings"),
    "strange scheduler": (scheduler("os.system"), "os.system, which is not supported"),
    "autoencoder": (changed(INDEX, vae=["diffusers", "AsymmetricAutoencoderKL"]),
                    "has a vae of the kind AsymmetricAutoencoderKL, which is not supported yet"),
    "denoiser": (changed(INDEX, unet=["diffusers", "UNet3DConditionModel"]), "UNet3DConditionModel"),
    "text encoder": (changed(INDEX, text_encoder=["transformers", "T5EncoderModel"]), "T5EncoderModel"),
    "tokenizer": (changed(INDEX, tokenizer=["transformers", "T5Tokenizer"]), "T5Tokenizer"),
    "projection": (changed(INDEX, text_encoder=["transformers", "CLIPTextModelWithProjection"]), "not supported yet"),
    "no text encoder": (changed(INDEX, text_encoder=[None, None]), "names no text_encoder"),
    "classes of numbers": (changed(INDEX, vae=[1, 2]), "names no vae"),
    "more than a prompt": (changed(UNET, class_embed_type="timestep"), "wants more than a prompt"),
    "another encoder": (changed(UNET, cross_attention_dim=24), "do not fit each other"),
    "a piece is missing": (both(saved_in_pieces("fp16"), lambda folder: next(
        (folder / "unet").glob("*00002*")).unlink()), "1 of its weight files are missing"),
    "advice out of bounds": (lambda folder: (folder / "triptych.json").write_text('{"steps": 5000}'), "settings"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_draw_something_else_is_refused_when_it_is_listed(name: str, models: Path, tmp_path: Path):
    change, words = REFUSED[name]
    shutil.copytree(models / "sd", tmp_path / "odd")
    change(tmp_path / "odd")
    _refused(tmp_path, words)


def test_a_refiner_is_refused_when_it_is_listed(models: Path, tmp_path: Path):
    shutil.copytree(models / "sdxl", tmp_path / "odd")
    refiner(tmp_path / "odd")
    _refused(tmp_path, "is an SDXL refiner")


def test_sdxl_with_other_time_ids_is_refused(models: Path, tmp_path: Path):
    shutil.copytree(models / "sdxl", tmp_path / "odd")
    changed(UNET, projection_class_embeddings_input_dim=5 * 8 + 20)(tmp_path / "odd")
    _refused(tmp_path, "do not fit each other")


def _refused(parent: Path, words: str) -> None:
    catalog = Catalog([parent], bundled=parent / "none")
    assert catalog.entries("image") == []
    (refused,) = catalog.refused()
    assert words in refused.reason
    assert str(parent) not in refused.reason
    with pytest.raises(ModelUnavailable):
        catalog.find("odd")


@pytest.mark.parametrize(
    ("unet", "side"),
    [
        ({"sample_size": 32, "_diffusers_version": "0.6.0"}, 512),
        ({"sample_size": 32, "_diffusers_version": "0.9.0.dev0"}, 256),
        ({"sample_size": 32, "_diffusers_version": "0.42.1"}, 256),
        ({"sample_size": 96, "_diffusers_version": "0.6.0"}, 768),
        ({"sample_size": [32, 32], "_diffusers_version": "0.6.0"}, 256),
        ({"sample_size": None}, 512),
        ({"sample_size": 4}, 64),
        ({"sample_size": 900}, 2048),
    ],
)
def test_the_size_that_a_model_was_made_for(unet: dict, side: int, models: Path, tmp_path: Path):
    shutil.copytree(models / "sd", tmp_path / "odd")
    changed(UNET, **unet)(tmp_path / "odd")
    entry = Catalog([tmp_path]).find("odd")
    assert (entry.width, entry.height) == (side, side)
    assert entry.max_pixels >= side**2


def test_what_a_sampler_cannot_be_made_of_is_said_when_it_is_opened(models: Path, tmp_path: Path):
    shutil.copytree(models / "sd", tmp_path / "odd")
    changed(NOISE, solver_type="mine", timestep_spacing=["a"])(tmp_path / "odd")
    with pytest.raises(ModelUnavailable, match="odd is damaged: its scheduler cannot be opened"):
        ModelPool(Catalog([tmp_path]), "cpu").pipeline(request(model="odd"))
