"""Convolutions of small latents on a CPU, as one matrix product each.

Where a picture has few cells, a convolution is bound by its weights, and the library's own would put them in another
order at every call: a third of its time. Here the neighbours of each cell are laid side by side (im2col), and the
weights lie ready in the order (in, out).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

FEW_CELLS = 128  # rows x cells of what comes out; with more, the library's own algorithms win
SMALL_WEIGHT = 1_000_000  # numbers: what is kept a second time


def plain(conv: nn.Conv2d) -> bool:
    """Whether it is 3 x 3 with a border of one cell of zeros, or 1 x 1, and nothing else."""
    shape = conv.kernel_size, conv.padding
    usual = conv.groups == 1 and conv.dilation == (1, 1) and conv.padding_mode == "zeros"
    return usual and (shape == ((3, 3), (1, 1)) or (shape == ((1, 1), (0, 0)) and conv.stride == (1, 1)))


class Convolution:
    """`Conv2d.forward` of a plain one."""

    def __init__(self, conv: nn.Conv2d):
        self._conv = conv
        self._product: Callable[[Tensor], Tensor]  # of 3 x 3 made when it is first needed
        if conv.kernel_size == (1, 1):
            self._product = product(by_columns(conv), conv.bias)
        self._made_of: tuple = ()

    def __call__(self, x: Tensor) -> Tensor:
        """x: (rows, C, h, w) -> (rows, out, h / stride, w / stride), channels last."""
        conv, (rows, channels, height, width) = self._conv, x.shape
        if conv.kernel_size == (1, 1):
            cells = x.permute(0, 2, 3, 1).reshape(-1, channels)
        else:
            height, width = (height - 1) // conv.stride[0] + 1, (width - 1) // conv.stride[1] + 1
            if rows * height * width > FEW_CELLS or not self._keeps():
                return type(conv).forward(conv, x)
            cells = _neighbours(x, height, width, conv.stride)
            self._look_again()
        return self._product(cells).view(rows, height, width, -1).permute(0, 3, 1, 2)

    def _keeps(self) -> bool:
        """Whether the weights are few enough to be kept twice, and it can be seen when they change."""
        return self._conv.weight.numel() <= SMALL_WEIGHT and not self._conv.weight.is_inference()

    def _look_again(self) -> None:
        """The weights in our order are a copy: made when they are first needed, and when the module's have changed."""
        weight = self._conv.weight
        if self._made_of != (now := (weight.data_ptr(), weight._version)):
            matrix = weight.data.permute(2, 3, 1, 0).reshape(-1, len(weight))
            self._product, self._made_of = product(matrix, self._conv.bias), now


def _neighbours(x: Tensor, height: int, width: int, stride: tuple[int, ...]) -> Tensor:
    """(rows, C, h, w) -> (rows · height · width, 3 · 3 · C): each cell's neighbours, zeros beyond the border."""
    rows, channels = x.shape[:2]
    framed = x.new_zeros(rows, x.shape[2] + 2, x.shape[3] + 2, channels)
    framed[:, 1:-1, 1:-1] = x.permute(0, 2, 3, 1)
    row, line, cell, _ = framed.stride()
    windows = framed.as_strided(
        (rows, height, width, 3, 3 * channels), (row, line * stride[0], cell * stride[1], line, 1)
    )
    return windows.reshape(rows * height * width, -1)


def by_columns(layer: nn.Linear | nn.Conv2d) -> Tensor:
    """(in, out), contiguous: a linear layer's or 1 x 1 convolution's weights, of which its own become a view."""
    matrix = layer.weight.data.flatten(1).t().contiguous()
    layer.weight.data = matrix.t().view(layer.weight.shape)
    return matrix


def product(weight: Tensor, bias: Tensor | None) -> Callable[[Tensor], Tensor]:
    """x (n, in) -> x · weight + bias, for weight (in, out)."""
    if bias is None:
        return lambda x: torch.mm(x, weight)
    return lambda x: torch.addmm(bias.data, x, weight)
