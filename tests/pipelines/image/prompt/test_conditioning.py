"""Prompts of every length, script and weight."""

from __future__ import annotations

import pytest
import torch

from pipelines.image.prompt.conditioning import MAX_WINDOWS
from tests.pipelines.support.image_requests import difference, request, run
from tests.support.rounding import assert_same_latents
from tests.support.tiny import WINDOW

LONG = "the red cat " * 12


@pytest.fixture
def embeds(pipeline):
    """The positive embeddings (1, tokens, width) of a prompt."""

    def read(prompt: str, model: str = "sd", **fields: object) -> torch.Tensor:
        state = pipeline(model).prepare(request(prompt=prompt, model=model, **fields), {})
        return state.conditioning.positive.embeds

    return read


@pytest.mark.parametrize("model", ["sd", "sdxl"])
def test_a_long_prompt_is_read_in_windows_with_a_note(model, pipeline):
    state = pipeline(model).prepare(request(model=model, prompt=LONG), {})
    both = state.conditioning
    assert both.positive.embeds.shape[1] == both.negative.embeds.shape[1] == 3 * WINDOW
    assert state.notes == ["The prompt is longer than 14 tokens and was read in 3 parts."]


def test_the_end_of_a_long_prompt_counts(embeds):
    assert difference(embeds(LONG + "the dog"), embeds(LONG + "the house")) > 1e-3


def test_a_long_negative_prompt_lengthens_the_pair_and_the_batch_key(pipeline):
    ours = pipeline("sd")
    short, long = (ours.prepare(request(negative_prompt=text), {}) for text in ("", LONG))
    assert ours.batch_key(short) != ours.batch_key(long)
    assert long.conditioning.positive.embeds.shape == long.conditioning.negative.embeds.shape
    assert "negative prompt" in long.notes[0]


def test_without_guidance_the_negative_prompt_costs_nothing(pipeline):
    state = pipeline("sd").prepare(request(negative_prompt=LONG, guidance_scale=1.0), {})
    assert (state.rows, state.notes, state.conditioning.positive.embeds.shape[1]) == (1, [], WINDOW)


def test_what_does_not_fit_is_cut_with_a_note(pipeline):
    state = pipeline("sd").prepare(request(prompt="😀" * 9_999), {})
    assert state.conditioning.positive.embeds.shape[1] == MAX_WINDOWS * WINDOW
    assert state.notes[0].startswith(f"The prompt was cut: {MAX_WINDOWS * 14} of its ")


@pytest.mark.parametrize("prompt", ["", " ", "😀👩‍🚀", "חתול אדום", "红色的猫", "\u202e(abc)\u0000", "<|endoftext|>"])
def test_any_script_gives_finite_latents(prompt, pipeline):
    (state,) = run(pipeline("sd"), request(prompt=prompt, steps=2))
    assert state.error is None
    assert state.latents.isfinite().all()


def test_weights_strengthen_their_words_only(embeds):
    plain, strong, weak = embeds("the red cat"), embeds("the (red:1.5) cat"), embeds("the [red] cat")
    moved = (strong - plain).abs().amax(-1)[0] > 1e-6
    assert moved.tolist() == [i == 2 for i in range(WINDOW)]
    towards = torch.sign((strong - plain) * (weak - plain))
    assert (towards[0, 2] <= 0).all()


def test_a_weight_of_one_is_the_plain_prompt(embeds):
    assert torch.equal(embeds("the (red:1.0) cat"), embeds("the red cat"))


def test_escaped_brackets_are_plain_text(embeds):
    assert torch.equal(embeds(r"cat \(red\)"), embeds(r"cat \(red\)"))
    assert difference(embeds(r"cat \(red\)"), embeds("cat (red)")) > 1e-3


@pytest.mark.parametrize("model", ["sd", "sdxl"])
def test_long_and_weighted_prompts_batch_as_they_are_alone(model, pipeline):
    asked = [
        request(model=model, prompt=LONG + word, seed=i, steps=3 + i) for i, word in enumerate(["(dog:1.4)", "re"])
    ]
    together = run(pipeline(model), *asked)
    for state in together:
        (alone,) = run(pipeline(model), state.request)
        assert_same_latents(state.latents, alone.latents)


@pytest.mark.parametrize(
    ("prompt", "read"),
    [("a cat <lora:detail:0.7>", "a cat"), ("the red cat BREAK a dog", "the red cat, a dog"),
     ("[a dog:a cat:0.5]", "a cat"),
     ("a cat, (the dog:-1)", "a cat"), ("A CAT AND A DOG", "A CAT AND A DOG")],
)  # fmt: skip
def test_what_other_programs_read_in_a_prompt_is_said_and_not_read_as_words(prompt: str, read: str, embeds, pipeline):
    state = pipeline("sd").prepare(request(prompt=prompt, negative_prompt=prompt), {})
    assert torch.equal(state.conditioning.positive.embeds, embeds(read))
    assert len([note for note in state.notes if "cannot be" in note]) == (prompt != read)
