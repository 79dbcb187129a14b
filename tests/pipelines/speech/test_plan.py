"""How a text is cut into what is spoken in one go."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import InvalidRequest
from pipelines.speech.text import chunking, markup
from pipelines.speech.text.plan import plan

BITS = ["Dr. ", "word ", "e.g. ", "3.14 ", "“Hi. You?” ", "。", "你好", "\n", "\n\n", "- item\n",
        "# Head\n", "1. one\n", "…", "; ",
        "https://a.b/c?d=e. ", "[pause:1s]", "\n[voice:x] ", "🙂", "e\u0301", "\u200b", "\r\n", "\x00",
        "?! ", "a" * 90, ", "]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(BITS), max_size=60).map("".join))


def texts(text: str, **settings: int) -> list[str]:
    return [text[chunk.start : chunk.end] for chunk in plan(text, **settings)]


@settings(deadline=None, max_examples=150)
@given(TEXTS, st.integers(20, 300), st.integers(10, 80))
def test_spans_are_in_order_and_hold_every_letter_once(text, longest, first):
    chunks = plan(text, longest=longest, first=first)
    at = 0
    for chunk in chunks:
        assert at <= chunk.start < chunk.end <= len(text)
        assert any(c.isalnum() for c in text[chunk.start : chunk.end])
        at = chunk.end
    said = "".join(text[chunk.start : chunk.end] for chunk in chunks)
    left = markup.PAUSE.sub("", text)
    left = "\n".join(markup.VOICE.sub("", line, count=1) if markup.VOICE.match(line) else line
                     for line in left.splitlines())  # fmt: skip
    assert [c for c in said if c.isalnum()] == [c for c in left if c.isalnum()]
    assert [chunk.sentence for chunk in chunks] == sorted(chunk.sentence for chunk in chunks)


@settings(deadline=None, max_examples=100)
@given(TEXTS, st.integers(20, 300))
def test_no_chunk_is_too_long(text, longest):
    for chunk in plan(text, longest=longest):
        assert chunking.weigh(text[chunk.start : chunk.end]) <= max(longest, 1.25 * 60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith and Mrs. J. K. Rowling came. They left.", ["Dr. Smith and Mrs. J. K. Rowling came.", "They left."]),
        ("It costs 3.50 or $1,200.75. Yes.", ["It costs 3.50 or $1,200.75.", "Yes."]),
        ("He said “Go on. Now!” and left. I went.", ["He said “Go on. Now!” and left.", "I went."]),
        ("今天很好。我们走吧！好吗？", ["今天很好。", "我们走吧！", "好吗？"]),
        ("今日は。元気？「はい。」", ["今日は。", "元気？", "「はい。」"]),
        ("# Title\nText here.", ["Title", "Text here."]),
        ("- one\n- two\n3. three", ["one", "two", "3. three"]),
        ("See https://a.example.org/x.html?q=1.5 now. Good.", ["See https://a.example.org/x.html?q=1.5 now.", "Good."]),
        ("Approx. 5 kg, e.g. flour, at 5 p.m. today. End.", ["Approx. 5 kg, e.g. flour, at 5 p.m. today.", "End."]),
        ("A line that is wrapped by a typewriter, and\ngoes on here. Next.",
         ["A line that is wrapped by a typewriter, and\ngoes on here.", "Next."]),
        ("🙂 *** Hi. —", ["🙂 *** Hi."]),
    ],
)  # fmt: skip
def test_sentences(text, expected):
    assert texts(text) == expected


def test_a_long_sentence_is_cut_at_its_clauses():
    text = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of folly."
    assert texts(text, longest=60) == [
        "It was the best of times, it was the worst of times,",
        "it was the age of wisdom, it was the age of folly.",
    ]


def test_the_first_chunk_is_short_so_that_sound_comes_at_once():
    text = "This is a rather long first sentence that goes on for a while without a comma until it ends, you see."
    first, *rest = texts(text)
    assert chunking.weigh(first) <= 75
    assert rest
    assert texts("Short. " + text)[1:] == [text]


def test_pauses():
    chunks = plan("[pause:500ms]One. Two.[pause:2] Three, and[pause:1s][pause:1s] more.\n\nFour.\nFive.")
    assert [chunk.before for chunk in chunks] == [0.5, 0, 0, 0, 0, 0]
    assert [chunk.after for chunk in chunks] == [0.35, 2.0, 2.0, 0.75, 0.45, 0.35]
    assert [chunk.paragraph for chunk in chunks] == [True, False, False, False, True, False]


@pytest.mark.parametrize("tag", ["[pause:x]", "[pause:]", "[pause:31]", "[pause:-1]", "[pause:1e9]", "[pause:nan]"])
def test_a_pause_that_is_none_is_refused(tag):
    with pytest.raises(InvalidRequest, match="at most 30 s"):
        markup.check(f"Hello {tag} you")


def test_pauses_that_add_up_to_hours_are_refused():
    with pytest.raises(InvalidRequest, match="at most 600 s"):
        markup.check("a[pause:30]" * 21)


def test_a_voice_speaks_its_line():
    chunks = plan("[voice:emma] Hi there. You?\nFine.\n  [Voice: fable ] Bye. Not [voice:x] here.")
    assert [chunk.voice for chunk in chunks] == ["emma", "emma", "", "fable", "fable"]
    assert markup.voices_in("[voice:a] x\n[voice:b] y\n[voice:a] z") == ["a", "b"]


@pytest.mark.parametrize(
    ("voice", "shares"),
    [("a", {"a": 1}),
     ("a(2)+b(1)", {"a": 2 / 3, "b": 1 / 3}), ("a+b", {"a": 0.5, "b": 0.5}), (" a ( 1.5 ) + a", {"a": 1})],
)  # fmt: skip
def test_blends(voice, shares):
    assert markup.blend(voice) == pytest.approx(shares)


@given(st.text(max_size=40))
def test_a_blend_is_understood_or_refused(voice):
    try:
        assert sum(markup.blend(voice).values()) == pytest.approx(1)
    except InvalidRequest as error:
        assert "blend" in str(error)  # noqa: PT017
