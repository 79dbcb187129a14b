"""Pictures composed as tensors are those that PIL draws, and the same at any place of a window."""

import numpy as np
import pytest
import torch

from pipelines.training.corpus import colours, scenes
from pipelines.training.data import compositing
from pipelines.training.data.compositing import Layers, compose
from tests.pipelines.training.conftest import sprite


def layers(*placed: tuple[np.ndarray, float, float, float], **more: torch.Tensor) -> Layers:
    pictures = torch.from_numpy(np.stack([p[0] for p in placed])).permute(0, 3, 1, 2)[None].float() / 255
    x, y, side = (torch.tensor([[p[i] for p in placed]]) for i in (1, 2, 3))
    return Layers(pictures, x, y, side, **more)


HALF_DISC = sprite(220, 30, 30)
HALF_DISC[:, :128] = 0


def test_it_draws_what_pil_draws():
    items = [(HALF_DISC, 100.0, 90.0, 180.0), (sprite(30, 60, 220), 180.0, 170.0, 130.0)]
    canvas = scenes.paint(scenes.Background("plain", "green", (110, 190, 100), (110, 190, 100)))
    for picture, x, y, side in items:
        scenes.place(canvas, picture, (x, y), side)
    ground = torch.tensor([110, 190, 100.0])[None, :, None, None].expand(1, 3, 256, 256) / 255
    mine = compose(layers(*items), ground)[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(mine - canvas).mean() < 1.5  # of 255: edges are smoothed in two ways
    assert np.abs(mine - canvas)[90, 140].max() < 2


def test_a_window_is_a_part_of_the_whole():
    thing = layers((HALF_DISC, 120.0, 140.0, 150.0), turn=torch.tensor([[0.3]]), mirrored=torch.tensor([[1.0]]))
    upper, lower = torch.rand(2, 1, 3, generator=torch.Generator().manual_seed(1))
    whole = compose(thing, compositing.gradient(upper, lower, 256))
    left, top = torch.tensor([70.0]), torch.tensor([40.0])
    part = compose(thing, compositing.gradient(upper, lower, 128, top), left, top)
    assert torch.allclose(part, whole[..., 40:168, 70:198], atol=1e-4)


def test_mirrored_and_turned():
    plain = compose(layers((HALF_DISC, 128.0, 128.0, 256.0)), torch.ones(1, 3, 256, 256))
    mirrored = layers((HALF_DISC, 128.0, 128.0, 256.0), mirrored=torch.ones(1, 1))
    turned = layers((HALF_DISC, 128.0, 128.0, 256.0), turn=torch.full((1, 1), np.pi / 2))
    assert torch.allclose(compose(mirrored, torch.ones(1, 3, 256, 256)), plain.flip(3), atol=1e-3)
    # The half on the right goes down: clockwise, as rows run downwards.
    below = compose(turned, torch.ones(1, 3, 256, 256))[0, 1]
    assert below[200, 128] < 0.2
    assert below[50, 128] == 1


@pytest.mark.parametrize("colour", ["blue", "green", "orange"])
def test_recoloured_as_by_pil(colour):
    picture = sprite(220, 30, 30)
    own, wanted = colours.dominant(picture[..., :3], picture[..., 3] / 255)[0] / 360, colours.HUES[colour] / 360
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    mine = compositing.recolour(pixels, torch.tensor([own]), torch.tensor([wanted]))[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(mine - colours.recolour(picture, colour)).max() < 6  # Pillow's hue has 256 steps
    same = compositing.recolour(pixels, torch.tensor([own]), torch.tensor([float("nan")]))
    assert torch.allclose(same, pixels, atol=1e-5)


def test_hue_spun_by_a_third_of_a_turn_exchanges_the_channels():
    pixels = torch.tensor([0.6, 0.2, 0.1, 1.0])[None, :, None, None]
    spun = compositing.spin_hue(pixels, torch.tensor([2 * np.pi / 3], dtype=torch.float32)).flatten()
    assert torch.allclose(spun, torch.tensor([0.1, 0.6, 0.2, 1.0]), atol=1e-5)
