"""The image-prompt adapter: IP-Adapter's layout, the picture matters, and only the adapter learns."""

import json

import numpy as np
import pytest
import torch

from pipelines.training.models.image import denoiser, image_prompt
from tests.pipelines.training import tiny

PATCHES, WIDE = 5, 12


def fresh(unet):
    return image_prompt.fresh(unet, image_prompt.resampler(WIDE, tiny.WIDE))


@pytest.fixture
def unet():
    return tiny.unet()


def drawn(unet, patches: torch.Tensor) -> torch.Tensor:
    draw = torch.Generator().manual_seed(2)
    x, states = (torch.randn(1, *shape, generator=draw) for shape in ((4, 8, 8), (tiny.LENGTH, tiny.WIDE)))
    with torch.inference_mode():
        return unet(x, 5, states, added_cond_kwargs={"image_embeds": [patches[None, None]]}).sample


def test_the_file_has_the_layout_that_diffusers_opens(unet, tmp_path):
    adapter = image_prompt.Adapter(unet, fresh(unet))
    for parameter in adapter.parameters():
        parameter.data.normal_(0, 0.3)
    image_prompt.save(tmp_path / "a.safetensors", adapter)
    other = tiny.unet()
    other._load_ip_adapter_weights([image_prompt.open_weights(tmp_path / "a.safetensors")])
    patches = torch.randn(PATCHES, WIDE)
    assert torch.allclose(drawn(unet, patches), drawn(other, patches), atol=5e-3)
    assert not torch.allclose(drawn(unet, patches), drawn(unet, -patches), atol=1e-3)
    names = set(adapter.tensors())
    own = {"image_proj.latents", "image_proj.layers.3.0.to_kv.weight", "image_proj.layers.0.1.1.weight"}
    assert own | {"image_proj.layers.1.0.norm2.bias", "ip_adapter.1.to_k_ip.weight"} <= names


def test_the_resampler_learns_to_say_what_the_text_says_and_the_latents():
    draw, tokens = torch.Generator().manual_seed(4), image_prompt.TOKENS
    text = tiny.text(length=tokens).requires_grad_(False)
    model = image_prompt.Acquaintance(image_prompt.resampler(WIDE, tiny.WIDE), torch.nn.Linear(tiny.WIDE, 16))
    batch = (
        torch.randn(4, 4, 8, 8, generator=draw), torch.randint(0, 38, (4, tokens), generator=draw),
        torch.randn(4, PATCHES, WIDE, generator=draw),
    )  # fmt: skip
    loss, losses = image_prompt.acquaintance_loss(model, text), []
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(20):
        value, seen = loss(batch, draw)
        losses.append(value.item())
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert seen == 4
    assert losses[-1] < 0.8 * losses[0]


def test_only_the_adapter_learns_and_it_does(unet):
    adapter = image_prompt.Adapter(unet, fresh(unet))
    loss = denoiser.velocity_loss(unet.train(), tiny.text().requires_grad_(False))
    draw = torch.Generator().manual_seed(4)
    batch = (
        torch.randn(4, 4, 8, 8, generator=draw), torch.randint(0, 38, (4, tiny.LENGTH), generator=draw),
        torch.full((4,), 600), torch.randn(4, 1, PATCHES, WIDE, generator=draw),
    )  # fmt: skip
    optimizer, losses = torch.optim.Adam(adapter.parameters(), 1e-2), []
    for _ in range(20):
        value, _ = loss(batch, torch.Generator().manual_seed(3))
        losses.append(value.item())
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1] < losses[0]
    locked = {id(p) for p in unet.parameters()} - {id(p) for p in adapter.parameters()}
    assert locked
    assert not any(p.requires_grad for p in unet.parameters() if id(p) in locked)


class Words:
    """Stands for the tokenizer: every text is its length."""

    def __call__(self, texts, **_):
        return {"input_ids": torch.tensor([[len(t)] * 32 for t in texts])}


def see(small):
    return torch.full((len(small), PATCHES, WIDE), float(small[0, 0, 0, 0]))


def test_text_and_picture_are_dropped_as_said(tmp_path):
    rows = [{"style": "3d", "kind": "single", "en": ["abc"] * 3, "zh": "字", "things": [0]}] * 8
    (tmp_path / "few").mkdir()
    (tmp_path / "few/scenes.json").write_text(json.dumps(rows))
    np.save(tmp_path / "few/latents.npy", np.zeros((8, 16, 8, 8), np.float16))
    np.save(tmp_path / "few/small.npy", np.zeros((8, 64, 64, 3), np.uint8))
    examples = image_prompt.Examples(tmp_path, Words(), see, {"few": 1.0})
    _, ids, times, patches = examples.batch(np.random.default_rng(0), 4000)
    silent, blind = (ids == 0).all(1), (patches == 127.5).all(-1).all(-1)[:, 0]
    assert patches.shape == (4000, 1, PATCHES, WIDE)
    assert times.max() < 1000
    assert silent.float().mean() == pytest.approx(image_prompt.NO_TEXT, abs=0.03)
    assert (silent & blind).float().mean() == pytest.approx(image_prompt.NEITHER, abs=0.015)
    assert (blind & ~silent).float().mean() == pytest.approx(image_prompt.NO_PICTURE, abs=0.02)


def test_it_goes_on_with_the_attention_of_a_known_adapter(unet, tmp_path, monkeypatch):
    projection = image_prompt.resampler(24, unet.config.cross_attention_dim)
    known = image_prompt.fresh(unet, image_prompt.resampler(24, unet.config.cross_attention_dim, seed=5))
    known["ip_adapter"] = {name: value + 1 for name, value in known["ip_adapter"].items()}
    monkeypatch.setattr(image_prompt, "Examples", lambda *_: None)
    monkeypatch.setattr(image_prompt, "acquaint", lambda *_: projection)
    monkeypatch.setattr(image_prompt.Run, "train", lambda *_: None)
    adapter = image_prompt.train(tmp_path, None, tiny.text(), None, unet, 1.0, known).model
    found = adapter.tensors()
    for name, value in known["ip_adapter"].items():
        assert torch.equal(found[f"ip_adapter.{name}"].float(), value.half().float())
    for name, value in image_prompt.own_names(projection.state_dict()).items():
        assert torch.equal(found[f"image_proj.{name}"].float(), value.half().float())
