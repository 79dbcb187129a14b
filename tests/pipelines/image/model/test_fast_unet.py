"""The lean blocks give what diffusers' own blocks give, and step aside where they cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor

from pipelines.image.model import fast_unet
from tests.pipelines.support.image_requests import difference
from tests.support.rounding import assert_same_forward

KINDS = ["sd", "sdxl", "lcm"]


@torch.inference_mode(False)  # as the studio opens them
def opened(models: Path, model: str) -> UNet2DConditionModel:
    return UNet2DConditionModel.from_pretrained(models / model / "unet").eval().requires_grad_(False)


def inputs(unet: UNet2DConditionModel, rows: int, height: int = 8, width: int = 8) -> dict:
    draws = torch.Generator().manual_seed(rows)
    sample = torch.randn(rows, unet.config.in_channels, height, width, generator=draws)
    texts = torch.randn(rows, 5, unet.config.cross_attention_dim, generator=draws)
    found = {"sample": sample.to(memory_format=torch.channels_last), "encoder_hidden_states": texts,
             "timestep": torch.linspace(1, 900, rows)}  # fmt: skip
    if unet.config.addition_embed_type:
        found["added_cond_kwargs"] = {"text_embeds": torch.randn(rows, 20, generator=draws),
                                      "time_ids": torch.full((rows, 6), 64.0)}  # fmt: skip
    if size := unet.config.time_cond_proj_dim:
        found["timestep_cond"] = torch.randn(rows, size, generator=draws)
    return found


@pytest.mark.parametrize("model", KINDS)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 8, 8), (2, 6, 10), (2, 5, 7)])
@torch.inference_mode()
def test_the_same_numbers_as_diffusers(model, shape, models: Path):
    unet = opened(models, model)
    asked = inputs(unet, *shape)
    plain = unet(**asked).sample
    assert fast_unet.lean(unet) >= 10
    assert_same_forward(unet(**asked).sample, plain)
    other = asked | {"timestep": asked["timestep"] + 7}  # the prompt's keys and values are known by now
    again = unet(**other).sample
    fast_unet.undo(unet)
    assert_same_forward(unet(**other).sample, again)
    assert not torch.equal(again, plain)


@torch.inference_mode()
def test_another_prompt_of_the_same_shape_is_another_prompt(models: Path):
    unet = opened(models, "sd")
    asked = inputs(unet, 2)
    others = [asked | {"encoder_hidden_states": asked["encoder_hidden_states"] * scale} for scale in (1.0, -2.0, 1.0)]
    plain = [unet(**other).sample for other in others]
    fast_unet.lean(unet)
    for other, expected in zip(others, plain, strict=True):
        assert_same_forward(unet(**other).sample, expected)


@torch.inference_mode()
def test_masks_are_left_to_diffusers(models: Path):
    unet = opened(models, "sd")
    asked = inputs(unet, 2) | {"encoder_attention_mask": torch.tensor([[1, 1, 0, 0, 0], [1, 1, 1, 1, 0]])}
    plain = unet(**asked).sample
    fast_unet.lean(unet)
    assert_same_forward(unet(**asked).sample, plain)


def test_weights_stay_the_modules_own(models: Path):
    """No second copy, and a change of a module's weight in place changes what is computed."""
    unet = opened(models, "sd")
    before = {name: tensor.clone() for name, tensor in unet.state_dict().items()}
    fast_unet.lean(unet)
    after = unet.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    attention = unet.mid_block.attentions[0].transformer_blocks[0].attn1
    starts = {layer.weight.untyped_storage().data_ptr() for layer in (attention.to_q, attention.to_k, attention.to_v)}
    assert len(starts) == 1
    with torch.inference_mode():
        asked = inputs(unet, 1)
        first = unet(**asked).sample
        attention.to_v.weight.mul_(-30.0)
        changed = unet(**asked).sample
        fast_unet.undo(unet)
        assert difference(changed, first) > 1e-4
        assert_same_forward(unet(**asked).sample, changed)


def test_blocks_with_other_processors_are_left_alone(models: Path):
    unet = opened(models, "sd")
    everything = fast_unet.lean(unet)
    fast_unet.undo(unet)
    unet.set_attn_processor(AttnProcessor())
    assert 0 < fast_unet.lean(unet) < everything
