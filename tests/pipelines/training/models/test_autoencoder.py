"""The autoencoder speaks AutoencoderKL's language, and standardising its latents changes nothing inside."""

import pytest
import torch

from pipelines.image.model.autoencoder import SpriteAutoencoder
from pipelines.training.models.image.autoencoder import standardise
from tests.support.rounding import assert_same_forward

TINY = {"block_out_channels": (3, 12, 16, 16, 16, 16), "decoder_blocks": (1, 1, 1, 1), "latent_channels": 4}


@pytest.fixture
def model() -> SpriteAutoencoder:
    torch.manual_seed(0)
    return SpriteAutoencoder(**TINY).eval()


def test_shapes_and_interface(model):
    x = torch.rand(2, 3, 64, 96) * 2 - 1
    posterior = model.encode(x).latent_dist
    latents = posterior.sample(torch.Generator())
    assert latents.shape == (2, 4, 2, 3)
    assert torch.equal(latents, posterior.mode())
    assert torch.equal(model.encode(x, return_dict=False)[0].mode(), latents)
    assert model.decode(latents).sample.shape == x.shape
    assert torch.equal(model.decode(latents, return_dict=False)[0], model(x).sample)
    assert 2 ** (len(model.config.block_out_channels) - 1) == 32


def test_slicing_changes_nothing(model):
    latents = torch.randn(3, 4, 2, 2)
    whole = model.decode(latents).sample
    model.enable_slicing()
    assert_same_forward(model.decode(latents).sample, whole)


def test_saved_and_opened_it_is_the_same(model, tmp_path):
    model.save_pretrained(tmp_path, safe_serialization=True)
    again = SpriteAutoencoder.from_pretrained(tmp_path).eval()
    x = torch.rand(1, 3, 64, 64)
    assert torch.equal(again(x).sample, model(x).sample)


def test_standardised_latents_have_unit_deviation_and_are_read_alike(model):
    x = torch.rand(6, 3, 256, 256) * 2 - 1
    with torch.no_grad():
        before = model.encoder(x)
        seen = model.decoder[0](before)
        standardise(model, before)
        after = model.encoder(x)
        assert torch.allclose(after.mean((0, 2, 3)), torch.zeros(4), atol=1e-4)
        assert torch.allclose(after.std((0, 2, 3)), torch.ones(4), atol=1e-3)
        # Only the border knows: the decoder's first convolution pads with zeros, which meant another value before.
        assert torch.allclose(model.decoder[0](after)[..., 1:-1, 1:-1], seen[..., 1:-1, 1:-1], atol=1e-4)
