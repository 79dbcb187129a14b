"""A vision transformer that begins as convolutions: heads look at neighbours, at every depth, and keep doing so."""

import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel

from pipelines.training.models.alignment import conv_init
from tests.support.rounding import assert_same_forward


def tower(heads: int = 8, width: int = 256) -> CLIPVisionModel:
    torch.manual_seed(0)
    shape = CLIPVisionConfig(hidden_size=width, intermediate_size=64, num_hidden_layers=3, num_attention_heads=heads,
                             image_size=64, patch_size=8, attn_implementation="eager")  # fmt: skip
    return CLIPVisionModel(shape).eval()


@pytest.fixture
def pixels() -> torch.Tensor:
    """Smooth shapes on white (16, 3, 64, 64): mostly bright, as the pictures are, so that no norm is spared."""
    draw = torch.Generator().manual_seed(1)
    coarse = torch.rand(16, 3, 8, 8, generator=draw) * 2 - 1
    shapes = torch.nn.functional.interpolate(coarse, size=64, mode="bicubic").clamp(-1, 1)
    shapes[:, :, :16] = 1.0
    return shapes


def test_the_map_of_a_shift_makes_the_waves_of_the_place_beside():
    line = conv_init.waves(8)
    for places in (-1, 1, 2):
        moved = line @ conv_init.shift(places, 8).T
        inside = [x for x in range(8) if 0 <= x + places < 8]
        assert_same_forward(moved[inside], line[[x + places for x in inside]])


@torch.no_grad()
def test_every_head_looks_at_one_neighbour_in_every_layer(pixels):
    model = tower()
    conv_init.begin(model, pixels)
    for seen in model(pixels, output_attentions=True).attentions:
        for head, (x, y) in enumerate(conv_init.NEIGHBOURS):
            inner = [(row, column) for row in range(1, 7) for column in range(1, 7)]
            mass = [seen[:, head, 1 + r * 8 + c, 1 + (r + y) * 8 + c + x] for r, c in inner]
            assert float(torch.stack(mass).mean()) > 0.7
        assert float(seen[:, :, 0].max()) < 0.1  # the class token means all patches


@torch.no_grad()
def test_a_patch_changes_its_neighbours_alike_wherever_it_lies(pixels):
    model = tower()
    conv_init.begin(model, pixels)
    patch, shown = pixels[0, :, 40:48, 40:48], torch.ones(3, 3, 64, 64)
    shown[0, :, 24:32, 24:32] = shown[1, :, 32:40, 40:48] = patch
    first = model(shown, output_hidden_states=True).hidden_states[1][:, 1:, 8 * conv_init.WAVES :].unflatten(1, (8, 8))
    there, elsewhere = first[0, 2:5, 2:5] - first[2, 2:5, 2:5], first[1, 3:6, 4:7] - first[2, 3:6, 4:7]
    assert torch.nn.functional.cosine_similarity(there.flatten(), elsewhere.flatten(), dim=0) > 0.95
    assert all(float(there[y, x].norm()) > 0.05 * float(there[1, 1].norm()) for y in range(3) for x in range(3))
    untouched = first[0, 5:, 5:] - first[2, 5:, 5:]
    assert float(untouched.norm()) < 0.2 * float(there.norm())


def test_locked_parts_stay_and_the_others_learn(pixels):
    model = tower()
    conv_init.begin(model, pixels)
    conv_init.lock(model)
    before = {k: v.clone() for k, v in model.named_parameters()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
    model(pixels).pooler_output.square().sum().backward()
    optimizer.step()
    same = {k for k, v in model.named_parameters() if torch.equal(v, before[k])}
    held = ("position_embedding", "q_proj", "k_proj")
    assert same == {k for k in before if any(part in k for part in held)}


@pytest.mark.parametrize(("heads", "width"), [(4, 256), (8, 128)])
def test_heads_too_few_or_too_narrow_are_refused(heads, width, pixels):
    with pytest.raises(ValueError, match="eight heads of 28 or more"):
        conv_init.begin(tower(heads, width), pixels)
