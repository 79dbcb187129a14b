"""The denoiser's text tower learns what lies where."""

import numpy as np
import pytest
import torch

from pipelines.training.models.alignment import layout_text
from tests.pipelines.training import tiny

SIDE, CHANNELS = 8, 4


def test_tokens_fill_their_cells_from_left_to_right_and_down():
    cells = torch.arange(layout_text.CELLS).float()[None, :, None].expand(1, layout_text.CELLS, CHANNELS * 4)
    shown = layout_text.on_grid(cells, CHANNELS)
    assert shown.shape == (1, CHANNELS, SIDE, SIDE)
    expected = torch.from_numpy(np.kron(np.arange(16).reshape(4, 4), np.ones((2, 2)))).float()
    assert (shown[0] == expected).all()


def test_a_cell_keeps_its_channels_and_rows():
    one = torch.arange(CHANNELS * 4).float()
    shown = layout_text.on_grid(one.expand(1, layout_text.CELLS, -1), CHANNELS)
    assert torch.equal(shown[0, :, 2:4, 4:6], one.view(CHANNELS, 2, 2))


def test_it_learns_what_two_captions_show():
    model = layout_text.Layout(tiny.text(length=layout_text.LENGTH).requires_grad_(True), CHANNELS, SIDE)
    draw = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 38, (2, layout_text.LENGTH), generator=draw)
    latents = torch.randn(2, CHANNELS, SIDE, SIDE, generator=draw)
    optimizer, loss = torch.optim.Adam(model.parameters(), 1e-2), layout_text.layout_loss(model)
    for _ in range(60):
        value, seen = loss((latents, ids, torch.zeros(2)), draw)
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert seen == 2
    assert value.item() < 0.1
    assert (model(ids) - latents).abs().mean().item() == pytest.approx(0, abs=0.3)
