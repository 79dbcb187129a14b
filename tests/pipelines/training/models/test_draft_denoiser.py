"""The denoiser beside a draft: it learns, opens as InstructPix2Pix, and the command trains it from a packed corpus."""

import io
import sys

import diffusers
import pytest
import torch
from diffusers import StableDiffusionInstructPix2PixPipeline, UNet2DConditionModel
from PIL import Image

from pipelines.catalog.catalog import Catalog
from pipelines.image.model import autoencoder  # noqa: F401  diffusers finds the class by its imported module
from pipelines.requests import Sampler
from pipelines.runtime.model_pool import ModelPool
from pipelines.training import __main__ as command
from pipelines.training import checkpoints
from pipelines.training.data import pack
from pipelines.training.models.image import draft_denoiser, fine_autoencoder
from pipelines.training.models.image.denoiser import STEPS, angles
from pipelines.training.release import checkpoints as bundled
from tests.pipelines.support.image_requests import START, request, run
from tests.pipelines.training import tiny
from tests.support.rounding import assert_same_latents

CPU = torch.device("cpu")
SHAPE = draft_denoiser.fresh().config | {
    "block_out_channels": (16, 32), "layers_per_block": 1, "attention_head_dim": (2, 2), "norm_num_groups": 8,
}  # fmt: skip


def small_denoiser(seed: int = 1) -> UNet2DConditionModel:
    """Of the same kind and inputs, but narrow."""
    torch.manual_seed(seed)
    return UNet2DConditionModel.from_config(SHAPE)


@pytest.fixture(scope="module")
def text():
    return bundled.load_prompts(bundled.MODELS, bundled.load_clip(bundled.MODELS))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(draft_denoiser, "fresh", small_denoiser)
    monkeypatch.setattr(fine_autoencoder, "fresh", tiny.autoencoder)
    monkeypatch.setattr(fine_autoencoder, "taken_up", lambda coarse: tiny.autoencoder())
    monkeypatch.setattr(fine_autoencoder, "STANDARD", 8)
    monkeypatch.setattr(fine_autoencoder, "BATCH", {"cpu": 1})


def lesson(tokens) -> tuple[torch.Tensor, ...]:
    pictures, drafts = torch.rand(2, 8, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return pictures, drafts, tokens(["a cat"] * 8, padding="max_length", return_tensors="pt")["input_ids"]


def test_it_learns_and_only_it(text, tokens):
    unet, vae = small_denoiser(), tiny.autoencoder().requires_grad_(False)
    loss = draft_denoiser.loss_of(unet, text, vae, CPU)
    losses, seen = tiny.learnt(loss, lesson(tokens), torch.optim.Adam(unet.parameters(), 2e-3), 12)
    assert seen == 8
    assert losses[-1] < 0.8 * losses[0]
    assert not [p for part in (text, vae) for p in part.parameters() if p.grad is not None]


def test_the_draft_is_seen_unless_it_is_missing(text, tokens, monkeypatch):
    unet, seen = small_denoiser(), []
    unet.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0][:, 8:]))
    vae = tiny.autoencoder()
    pictures, drafts, ids = lesson(tokens)
    for share in (0.0, 1.0):
        monkeypatch.setattr(draft_denoiser, "NO_DRAFT", share)
        with torch.no_grad():
            draft_denoiser.loss_of(unet, text, vae, CPU)((pictures, drafts, ids), torch.Generator().manual_seed(1))
            expected = vae.encoder(drafts)
    assert torch.allclose(seen[0], expected, atol=1e-2)
    assert not seen[1].any()


def test_nearly_all_times_are_below_a_noise_of_four_fifths():
    times = draft_denoiser.draw_times(4000, torch.Generator().manual_seed(1))
    assert times.min() >= 0
    assert times.max() < STEPS
    ratio = torch.from_numpy(angles()).tan()[times]
    assert 0.9 < (ratio < 4).float().mean() < 0.99


def test_the_folder_is_one_that_diffusers_opens(tmp_path, text, tokens):
    draft_denoiser.save(tmp_path, text.float(), tokens, small_denoiser(), tiny.autoencoder())
    text.float()
    pipe = StableDiffusionInstructPix2PixPipeline.from_pretrained(tmp_path, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    assert pipe.vae_scale_factor == 16
    first, second = (
        pipe("a cat", image=Image.new("RGB", (256, 256), colour), num_inference_steps=2, output_type="np",
             generator=torch.Generator().manual_seed(1)).images
        for colour in ("red", "blue")
    )  # fmt: skip
    assert first.shape == (1, 256, 256, 3)
    assert abs(first - second).max() > 1e-3  # the draft is looked at
    assert diffusers.DiffusionPipeline.load_config(tmp_path)["vae"] == [
        "pipelines.image.model.autoencoder",
        "SpriteAutoencoder",
    ]


def test_the_studio_draws_what_diffusers_draws(tmp_path, text, tokens):
    draft_denoiser.save(tmp_path / "draft", text.float(), tokens, small_denoiser(), tiny.autoencoder())
    text.float()
    pipe = StableDiffusionInstructPix2PixPipeline.from_pretrained(tmp_path / "draft", local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    draft = Image.effect_mandelbrot((256, 256), (-2, -1.5, 1, 1.5), 60).convert("RGB")
    held = io.BytesIO()
    draft.save(held, "PNG")
    ours = ModelPool(Catalog([tmp_path]), "cpu").pipeline(request(model="draft", start_picture=START))
    fields = {"model": "draft", "start_picture": START, "steps": 3, "sampler": Sampler.DPMPP_2M, "width": 256,
              "height": 256}  # fmt: skip
    asked = [request(seed=1, image_guidance_scale=1.5, **fields), request(seed=2, guidance_scale=1.0, **fields)]
    for state in run(ours, *asked, pictures={START: held.getvalue()}):
        wanted = state.request
        expected = pipe(
            wanted.prompt, image=draft, num_inference_steps=3, guidance_scale=wanted.guidance_scale,
            image_guidance_scale=wanted.image_guidance_scale, output_type="latent",
            generator=torch.Generator().manual_seed(wanted.seed),
        ).images  # fmt: skip
        assert state.latents.shape == (1, 8, 16, 16)
        assert_same_latents(state.latents, expected, wanted)


def test_the_command_trains_both_pieces_from_a_packed_corpus_and_goes_on(tmp_path, cache, small, monkeypatch, capsys):
    """As on an accelerator, but on the processor and for seconds."""
    file = pack.write(cache, tmp_path / "corpus.zip", processes=1)
    monkeypatch.setenv("TRIPTYCH_TRAINING_CACHE", str(tmp_path / "there"))
    monkeypatch.setattr(draft_denoiser, "BATCH", {"cpu": 4})
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    monkeypatch.setattr("pipelines.training.models.image.autoencoder.STYLES", {"3d": 1.0})
    out = tmp_path / "out"
    asked = ["train", "--device", "cpu", "--minutes", "0.02", "--corpus", str(file), "--out", str(out)]
    steps = []
    for _ in range(2):
        monkeypatch.setattr(sys, "argv", asked)
        command.main()
        newest = {name: checkpoints.found(out / name)[-1] for name in ("fine-autoencoder", "draft-denoiser")}
        steps.append({name: checkpoints.read(path)[1]["step"] for name, path in newest.items()})
    assert steps[1]["fine-autoencoder"] == steps[0]["fine-autoencoder"] > 0  # finished once, its encoder stays
    assert steps[1]["draft-denoiser"] > steps[0]["draft-denoiser"] > 0
    assert fine_autoencoder.load(out).config.latent_channels == 8


def test_what_is_finished_is_small_and_enough_to_go_on_elsewhere(tmp_path, small, monkeypatch):
    monkeypatch.setattr(draft_denoiser, "LARGEST", "200KB")
    run = draft_denoiser.start(tmp_path, CPU)
    run.average = {k: v + 0.01 for k, v in run.average.items()}
    draft_denoiser.save_final(tmp_path, run)
    files = list((tmp_path / draft_denoiser.NAME / "final").glob("*.safetensors"))
    assert len(files) > 1
    assert max(file.stat().st_size for file in files) < 300_000
    again = draft_denoiser.start(tmp_path, CPU)
    for name, value in again.model.state_dict().items():
        assert torch.allclose(value, run.average[name], atol=2e-3), name


def test_a_denoiser_without_its_autoencoder_is_refused(tmp_path, cache, small, monkeypatch):
    monkeypatch.setenv("TRIPTYCH_TRAINING_CACHE", str(cache))
    monkeypatch.setattr(sys, "argv", ["train", "--model", "draft-denoiser", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="train fine-autoencoder first"):
        command.main()
