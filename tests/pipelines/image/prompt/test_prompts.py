"""The parser of prompt weights."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.image.prompt.prompts import MAX_WEIGHT, Piece, parse, plain


def pieces(prompt: str) -> list[tuple[str, float]]:
    return [(piece.text, round(piece.weight, 4)) for piece in parse(prompt)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", [("", 1.0)]),
        ("a cat", [("a cat", 1.0)]),
        ("a (red) cat", [("a ", 1.0), ("red", 1.1), (" cat", 1.0)]),
        ("((red))", [("red", 1.21)]),
        ("[red]", [("red", 0.9091)]),
        ("(red:1.3)", [("red", 1.3)]),
        ("(red :.5 )", [("red ", 0.5)]),
        ("(a (b:1.5) c:2)", [("a ", 2.0), ("b", 3.0), (" c", 2.0)]),
        ("(a:1.0) b", [("a b", 1.0)]),
        (r"a \(red\) \[cat\] \\", [(r"a (red) [cat] \ "[:-1], 1.0)]),
        ("(a:99)", [("a", MAX_WEIGHT)]),
        ("ratio 3:2 (wide)", [("ratio 3:2 ", 1.0), ("wide", 1.1)]),
    ],
)
def test_weights(prompt: str, expected: list):
    assert pieces(prompt) == expected


@pytest.mark.parametrize("prompt", [":)", "a :( cat", "([)", "(", "]", "a) b (c", "5) one"])
def test_a_bracket_without_partner_is_text(prompt: str):
    assert parse(prompt) == [Piece(prompt)]


@given(st.text(st.sampled_from("ab :.12()[]\\"), max_size=60))
def test_weights_stay_in_bounds_and_no_letter_is_lost(prompt: str):
    found = parse(prompt)
    assert all(0 <= piece.weight <= MAX_WEIGHT for piece in found)
    letters = "".join(piece.text for piece in found)
    assert [c for c in letters if c in "ab"] == [c for c in prompt if c in "ab"]


@given(st.text(max_size=80).filter(lambda text: not set(text) & set("()[]\\")))
def test_text_without_brackets_is_untouched(prompt: str):
    assert parse(prompt) == [Piece(prompt)]
    assert plain(parse(prompt)) == prompt


@pytest.mark.parametrize("unit", ["(", "((a", "(a)", "[", "\\", "a:1.1)", "(a:1.2)"])
def test_ten_thousand_characters_take_no_time(unit: str):
    prompt = (unit * 10_000)[:10_000]
    began = time.process_time()
    parse(prompt)
    assert time.process_time() - began < 1.0
