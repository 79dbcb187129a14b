"""The decoder's further training: pictures go with their latents, and what is noised comes back nearly as it was."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from pipelines.image.model.autoencoder import SpriteAutoencoder
from pipelines.training.models.image import decoder, denoiser
from tests.pipelines.training import tiny
from tests.support.rounding import assert_same_latents

LATENTS = torch.randn(5, 4, 8, 8, generator=torch.Generator().manual_seed(4))
IDS = torch.zeros(5, tiny.LENGTH, dtype=torch.long)


def test_every_picture_goes_with_its_latents(tmp_path):
    for name, shade, number in (("portraits", 0, 2), ("scenes", 100, 3)):
        (tmp_path / name).mkdir()
        shown = shade + np.arange(number, dtype=np.uint8)[:, None, None, None]
        np.save(tmp_path / name / "pictures.npy", np.broadcast_to(shown, (number, 8, 8, 3)))
    examples = SimpleNamespace(
        latents=torch.tensor([0, 1, 100, 101, 102.0]), known=lambda draw, size: (torch.tensor([4, 0, 2, 1, 3]), IDS)
    )
    latents, ids, pictures = decoder.Pairs(tmp_path, examples).batch(np.random.default_rng(1), 5)
    assert torch.equal(pictures[:, 0, 0, 0], latents / 127.5 - 1)
    assert ids is IDS


class Knowing(torch.nn.Module):
    """A denoiser that knows the latents: its velocity is the exact one."""

    def __init__(self, latents: torch.Tensor):
        super().__init__()
        self.latents, self.times = latents, []

    def set_attn_processor(self, processor: object) -> None:
        pass

    def forward(self, noisy, times, states, return_dict):
        self.times.append(times)
        angle = torch.from_numpy(denoiser.angles()).float()[times][:, None, None, None]
        return ((angle.cos() * noisy - self.latents) / angle.sin(),)


def test_a_denoiser_that_knows_everything_brings_everything_back():
    knowing = Knowing(LATENTS)
    made = decoder.Redrawing(knowing, tiny.text())(LATENTS, IDS, torch.Generator().manual_seed(2))
    assert_same_latents(made, LATENTS)
    first, *_, last = knowing.times
    assert len(knowing.times) == decoder.STEPS
    assert (first >= last).all()
    assert first.max() > 300
    assert denoiser.angles()[int(first.max())] <= decoder.FORGOTTEN


def test_a_step_is_the_one_of_ddim():
    ddim = DDIMScheduler(
        denoiser.STEPS, trained_betas=denoiser.betas(), prediction_type="v_prediction", clip_sample=False,
        set_alpha_to_one=False,
    )  # fmt: skip
    ddim.set_timesteps(25)  # a stride of 40
    noisy, velocity = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    angle = torch.from_numpy(denoiser.angles()).float()
    mine = decoder.Redrawing.turned(noisy, -velocity, angle[[480]] - angle[[440]])
    assert_same_latents(mine, ddim.step(velocity, 480, noisy).prev_sample)


def test_the_decoder_learns_alone_from_what_is_redrawn():
    torch.manual_seed(0)
    model = SpriteAutoencoder(block_out_channels=(3, 12, 16, 16, 32, 32), decoder_blocks=(1, 1, 1, 1))
    batch = torch.randn(2, 16, 8, 8), IDS[:2], torch.rand(2, 3, 256, 256)
    shown = []
    loss = decoder.loss_of(model, lambda latents, ids, generator: shown.append(ids) or 0.5 * latents)
    optimizer, losses = torch.optim.Adam(decoder.Decoding(model).parameters(), 3e-3), []
    for _ in range(6):
        value, seen = loss(batch, torch.Generator().manual_seed(2))
        losses.append(value.item())
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert (seen, len(shown)) == (2, 6)
    assert losses[-1] < losses[0]
    assert all(p.grad is None for p in model.encoder.parameters())


@pytest.mark.parametrize("there", [True, False])
def test_the_quick_denoiser_is_the_denoiser_with_its_changes(tmp_path, monkeypatch, there):
    from pipelines.training.models.image import few_step, lora
    from pipelines.training.release import checkpoints

    plain = tiny.unet()
    monkeypatch.setattr(checkpoints, "load_unet", lambda folder, models: tiny.unet())
    (tmp_path / "sprite").mkdir()
    if there:
        changes = lora.Changes(tiny.unet(), rank=2, narrowest=16)
        for part in changes.parts:
            part.up.data.normal_(0, 0.05)
        changes.save(tmp_path / "sprite" / few_step.FILE)
    quick = checkpoints.load_quick(tmp_path, tmp_path)
    same = all(torch.equal(v, plain.state_dict()[k]) for k, v in quick.state_dict().items())
    assert same != there
