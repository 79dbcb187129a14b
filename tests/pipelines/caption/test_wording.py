"""Length, forbidden words, tags, frames: for any text."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipelines.caption.checking import wording
from pipelines.caption.decoding import sampling
from pipelines.requests import CaptionRequest, CaptionStyle

WORDS = ["a", "cat", "on", "the", "red", "sofa,", "wonderful!"]
TEXTS = st.text(max_size=300) | st.lists(st.sampled_from(WORDS)).map(" ".join)


@given(TEXTS, st.integers(0, 150))
def test_a_cut_text_fits(text, length):
    short = wording.cut(text, length)
    assert len(short) <= length
    assert short == text or short.endswith("…") or not length


def test_a_text_is_cut_at_a_word():
    assert wording.cut("a cat sitting on a sofa", 18) == "a cat sitting on…"
    assert wording.cut("short", 125) == "short"


@given(TEXTS, st.text(max_size=40), st.text(max_size=40), st.sampled_from(CaptionStyle))
def test_a_framed_text_holds_its_text_where_it_says(text, prefix, suffix, style):
    request = CaptionRequest(picture="0" * 64, prefix=prefix, suffix=suffix, style=style)
    whole, begin = wording.framed(text, request)
    assert whole.startswith(prefix)
    if style == CaptionStyle.ALT:
        assert len(whole) <= 125
    else:
        assert whole[begin : begin + len(text)] == text
        assert whole.endswith(suffix)


@given(TEXTS, st.lists(st.sampled_from(["cat", "red", "on the"]), min_size=1))
def test_forbidden_words_do_not_remain(text, words):
    left = wording.scrubbed(text, ", ".join(words)).lower()
    assert not [word for word in words if word in left.replace(",", " ").split()]


def test_scrubbing_leaves_whole_words_and_tidy_commas():
    assert wording.scrubbed("a cat, a dog, a category", "cat") == "a, a dog, a category"
    assert wording.scrubbed("cat, dog, bird", "dog") == "cat, bird"
    assert wording.scrubbed("一只猫在草地上", "猫") == "一只在草地上"


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (CaptionStyle.TAGS, "black cat, red sofa, cushion"),
        (CaptionStyle.PROMPT, "a black cat on a red sofa, cartoon, cushion"),
        (CaptionStyle.DETAILED, "a black cat on a red sofa, with cushion"),
        (CaptionStyle.SHORT, "a black cat on a red sofa"),
    ],
)
def test_styles_are_made_of_caption_and_labels(style, expected):
    assert wording.made("a black cat on a red sofa", style, ["cat", "cushion", "sofa"], "cartoon") == expected


@pytest.mark.parametrize(
    ("style", "text", "expected"),
    [
        (CaptionStyle.TAGS, "Cat; - dog, cat,\n*bird*.", "cat, dog, bird"),
        (CaptionStyle.ALT, "a picture of a cat", "A cat"),
        (CaptionStyle.ALT, "a picture frame", "A picture frame"),
        (CaptionStyle.SHORT, " a  cat\n", "a cat"),
    ],
)
def test_what_a_model_wrote_is_put_into_its_usual_form(style, text, expected):
    assert wording.tidy(text, style) == expected


def test_tokens_are_drawn_by_their_probability():
    scores = torch.tensor([[1.0, 3.0, 2.0, -9.0]]).log_softmax(-1).expand(4000, -1)
    draws = sampling.uniforms(3, 1, 4000)[0]
    tokens = sampling.choose(scores, torch.ones(4000), draws)
    shares = torch.bincount(tokens, minlength=4) / 4000
    assert shares.tolist() == pytest.approx(scores[0].exp().tolist(), abs=0.03)
    assert sampling.choose(scores[:2], torch.zeros(2), draws[:2]).tolist() == [1, 1]
    cold = sampling.choose(scores, torch.full((4000,), 0.2), draws)
    assert (cold == 1).sum() > (tokens == 1).sum()
