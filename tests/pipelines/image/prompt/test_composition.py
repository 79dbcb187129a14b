"""Texts with weights and roles, blends, and strips of frames."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import InvalidRequest
from pipelines.image import interpolation
from pipelines.image.prompt import prompts
from pipelines.requests import Role
from tests.pipelines.support.image_requests import difference, request, run
from tests.support.rounding import assert_same_forward, assert_same_latents


def text(said: str, role: str = "what", weight: float = 1.0) -> dict:
    return {"role": role, "text": said, "weight": weight}


@pytest.mark.parametrize("model", ["sd", "sdxl"])
def test_parts_of_weight_one_are_the_longer_prompt(model, pipeline):
    parts = [text("the red cat"), text("at the red", "how"), text("the cat", "not")]
    ours = pipeline(model)
    one = ours.prepare(request(model=model, prompt="a cat", parts=parts), {})
    other = ours.prepare(request(model=model, prompt="a cat, the red cat, at the red", negative_prompt="the cat"), {})
    assert torch.equal(one.conditioning.positive.embeds, other.conditioning.positive.embeds)
    assert torch.equal(one.conditioning.negative.embeds, other.conditioning.negative.embeds)


def test_a_weight_is_that_of_a_bracket(pipeline):
    ours = pipeline("sd")
    one = ours.prepare(request(prompt="a", parts=[text("red cat", weight=1.5)]), {})
    other = ours.prepare(request(prompt="a, (red cat:1.5)"), {})
    assert torch.equal(one.conditioning.positive.embeds, other.conditioning.positive.embeds)


def test_a_weight_of_nought_says_nothing(pipeline):
    ours = pipeline("sd")
    one = ours.prepare(request(prompt="a", parts=[text("red cat", weight=0)]), {})
    assert torch.equal(
        one.conditioning.positive.embeds, ours.prepare(request(prompt="a"), {}).conditioning.positive.embeds
    )


@given(st.lists(st.tuples(st.text(max_size=20), st.floats(0, 2)), max_size=4), st.text(max_size=20))
def test_any_texts_compose_to_pieces_with_weights_in_bounds(parts, prompt):
    pieces = prompts.composed(prompt, parts)
    assert pieces
    assert all(0 <= piece.weight <= prompts.MAX_WEIGHT for piece in pieces)
    assert prompts.composed(prompt, []) == tuple(prompts.parse(prompt))


def test_without_pictures_the_gate_has_nothing_to_weigh(pipeline):
    ours = pipeline("sd")
    (shut,) = run(ours, request(gate=0.9, steps=2))
    (half,) = run(ours, request(steps=2))
    assert torch.equal(shut.latents, half.latents)


@pytest.mark.parametrize("model", ["sd", "sdxl"])
def test_the_ends_of_a_blend_are_the_prompts_themselves(model, pipeline):
    ours, steps = pipeline(model), 2
    fields = {"model": model, "prompt": "the red cat", "steps": steps, "seed": 1}
    other = {"prompt": "a dog", "seed": 2}
    asked = [request(**fields, blend=other | {"at": at}) for at in (0.0, 1.0, 0.5)]
    first, last, middle = run(ours, *asked)
    one, two = run(ours, request(**fields), request(**fields | other))
    assert_same_latents(first.latents, one.latents)
    assert_same_latents(last.latents, two.latents)
    assert difference(middle.latents, one.latents) > 1e-2
    assert difference(middle.latents, two.latents) > 1e-2


def test_a_blend_of_noise_keeps_its_length():
    one, other = torch.randn(2, 1, 4, 32, 32, generator=torch.Generator().manual_seed(1)).unbind(0)
    for at in (0.25, 0.5, 0.9):
        mixed = interpolation.slerp(one, other, at, whole=True)
        assert mixed.shape == one.shape
        assert abs(mixed.std().item() - 1) < 0.05  # a straight line would give 0.71 in the middle


def test_a_blend_goes_along_the_arc():
    east, north = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    third = interpolation.slerp(east, north, 1 / 3)
    expected = torch.tensor([[3**0.5 / 2, 2 * 0.5]])
    assert_same_forward(third, expected)
    assert_same_forward(interpolation.slerp(east, east * (1 + 1e-7), 0.5), east)


def test_a_strip_is_one_job_a_frame_in_a_group_of_its_own():
    asked = request(blend={"prompt": "a dog", "frames": 5}, count=2, seed=7, early_stop=True)
    frames = asked.singles()
    assert [frame.blend.at for frame in frames] == [0.0, 0.25, 0.5, 0.75, 1.0] * 2
    assert [frame.seed for frame in frames] == [7] * 5 + [8] * 5
    assert len({frame.group for frame in frames}) == 2
    assert all(frame.group and frame.count == frame.blend.frames == 1 and not frame.early_stop for frame in frames)


def test_which_pictures_are_looked_at():
    a, b, c = "a" * 64, "b" * 64, "c" * 64
    parts = [{"role": "where", "picture": a}, {"role": "how", "picture": b}, text("x")]
    assert [part.picture for part in request(parts=parts).shown_parts] == [b]
    assert [part.picture for part in request(parts=parts, start_picture=c).shown_parts] == [a, b]
    assert request(parts=parts).beginning == a
    assert request(parts=parts).blended_part is None
    assert request(parts=[{"picture": b}]).blended_part.role == Role.WHAT


def test_a_model_without_image_prompts_says_so(pipeline):
    with pytest.raises(InvalidRequest, match="sd has no image prompts"):
        pipeline("sd").check(request(parts=[{"role": "what", "picture": "a" * 64}]))


def test_a_blended_picture_wants_another(pipeline):
    with pytest.raises(InvalidRequest, match=r"blend\.picture"):
        pipeline("sd").check(request(blend={"picture": "a" * 64}))
