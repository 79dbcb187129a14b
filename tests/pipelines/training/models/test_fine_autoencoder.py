"""The finer autoencoder: AutoencoderKL's interface at factor 16, begun with what the coarse one knows."""

import pytest
import torch

from pipelines.image.model.autoencoder import SpriteAutoencoder
from pipelines.training.data.sprite_bank import SpriteBank
from pipelines.training.models.image import fine_autoencoder
from tests.pipelines.training import tiny

CPU = torch.device("cpu")


@pytest.fixture
def bank(corpus) -> SpriteBank:
    large = torch.from_numpy(corpus.sprites).permute(0, 3, 1, 2)
    return SpriteBank(large, large[..., ::2, ::2].contiguous(), torch.tensor([1.0, 1.0, 1.0, 0.0]))


def test_shapes_at_factor_sixteen():
    model = fine_autoencoder.fresh().eval()
    x = torch.rand(1, 3, 64, 96) * 2 - 1
    with torch.inference_mode():
        latents = model.encode(x).latent_dist.sample()
        assert latents.shape == (1, 8, 4, 6)
        assert model.decode(latents).sample.shape == x.shape
    assert 2 ** (len(model.config.block_out_channels) - 1) == 16


def test_saved_and_opened_it_is_the_same(tmp_path):
    model = fine_autoencoder.fresh().eval()
    model.save_pretrained(tmp_path, safe_serialization=True)
    again = SpriteAutoencoder.from_pretrained(tmp_path).eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(again(x).sample, model(x).sample)


def test_what_the_coarse_one_knows_is_taken_up():
    torch.manual_seed(1)
    coarse, x = SpriteAutoencoder().eval(), torch.rand(1, 3, 64, 64)
    model = fine_autoencoder.taken_up(coarse).eval()
    with torch.inference_mode():
        assert torch.equal(model.encoder[:-1](x), coarse.encoder[:7](x))
        inside = torch.randn(1, 192, 4, 4)
        assert torch.equal(model.decoder[1:](inside), coarse.decoder[5:](inside))


@pytest.mark.parametrize("window", [256, 128])
def test_pictures_are_made_at_once_and_never_of_what_is_held_out(bank, window):
    pictures = fine_autoencoder.draw(bank, 12, torch.Generator().manual_seed(1), window)
    assert pictures.shape == (12, 3, window, window)
    assert pictures.min() >= -1
    assert pictures.max() <= 1
    assert len({float(p.mean()) for p in pictures}) == 12
    assert 3 not in bank.draw(200, torch.Generator().manual_seed(1))
    again = fine_autoencoder.draw(bank, 12, torch.Generator().manual_seed(1), window)
    assert torch.equal(pictures, again)


def test_it_learns(bank):
    model = tiny.autoencoder()
    pictures = fine_autoencoder.draw(bank, 4, torch.Generator().manual_seed(2), 64)
    before = fine_autoencoder.measure(model, pictures)
    loss = fine_autoencoder.loss_of(model, CPU)
    losses, seen = tiny.learnt(loss, pictures, torch.optim.Adam(model.parameters(), 2e-3), 30)
    assert seen == 0  # four windows of 64: a quarter of a picture
    assert losses[-1] < 0.7 * losses[0]
    assert fine_autoencoder.measure(model, pictures) > before + 2
