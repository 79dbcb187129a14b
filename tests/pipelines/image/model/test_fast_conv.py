"""Convolutions as one product give what torch's own give, whatever their shape, and follow their weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pipelines.image.model import fast_conv
from pipelines.image.model.fast_conv import Convolution
from tests.support.rounding import assert_same_forward

SHAPES = [(1, 8, 8), (2, 5, 7), (2, 1, 1), (3, 4, 6), (2, 12, 12)]


@torch.inference_mode(False)  # as models are opened
def conv(kernel: int = 3, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(5, 7, kernel, stride, padding=kernel // 2, bias=bias).requires_grad_(False)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("kind", [(3, 1, True), (3, 2, True), (3, 1, False), (1, 1, True)])
@torch.inference_mode()
def test_the_same_numbers_as_torch(kind, layout, shape):
    rows, height, width = shape
    plain, ours = conv(*kind), Convolution(conv(*kind))
    x = torch.randn(rows, 5, height, width).to(memory_format=layout)
    assert_same_forward(ours(x), plain(x))


@torch.inference_mode()
def test_changed_weights_are_seen():
    module = conv()
    ours, x = Convolution(module), torch.randn(1, 5, 4, 4)
    before = ours(x)
    module.weight.mul_(2)
    assert (ours(x) - before).abs().max() > 0.1
    assert_same_forward(ours(x), module(x))
    module.weight.data = torch.zeros_like(module.weight)
    assert_same_forward(ours(x), module(x))


def test_large_weights_are_not_kept_twice(monkeypatch):
    monkeypatch.setattr(fast_conv, "SMALL_WEIGHT", 7 * 5 * 9 - 1)
    ours = Convolution(conv())
    ours(torch.randn(1, 5, 4, 4))
    assert ours._made_of == ()


@pytest.mark.parametrize("odd", [{"dilation": 2}, {"groups": 5}, {"padding_mode": "circular"}, {"padding": 0}])
def test_other_kinds_are_left_to_torch(odd):
    assert fast_conv.plain(conv())
    assert not fast_conv.plain(nn.Conv2d(5, 10, 3, **({"padding": 1} | odd)))
