"""One place for every word: complete in both languages, and nothing on the page that is not in it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import requests
from pipelines.errors import InvalidRequest, NotAllowed, UnknownModel
from studio.tabs.sentences import LABELS, field_of, sentence
from studio.words import FILE, LANGUAGES, PHRASES, Words, nearest

STATIC = Path(FILE).parent
PAIRS = json.loads(FILE.read_text(encoding="utf-8"))
PLACE = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("key", PAIRS)
def test_every_word_has_both_languages_and_the_same_places_for_values(key: str) -> None:
    texts = PAIRS[key]
    assert len(texts) == len(LANGUAGES)
    assert all(text.strip() for text in texts)
    assert set(PLACE.findall(texts[0])) == set(PLACE.findall(texts[1]))


def test_the_scripts_use_only_words_that_there_are() -> None:
    used = {key for file in STATIC.glob("*.js") for key in re.findall(r'\bt\("([\w.]+)"', file.read_text("utf-8"))}
    assert used
    assert used <= set(PAIRS)


def test_the_words_of_gradio_are_the_same_words() -> None:
    flat = Words().by_language()
    assert set(flat) == set(LANGUAGES)
    assert flat["zh-CN"]["triptych.generate"] == Words().say("generate", "zh-CN")


def test_a_missing_word_is_a_defect() -> None:
    with pytest.raises(KeyError):
        Words().say("no.such.word")


@pytest.mark.parametrize(("tag", "language"), [("zh-Hans-CN", "zh-CN"), ("zh", "zh-CN"), ("en-GB,en;q=0.9", "en"),
                                               ("fr", "en"), (None, "en"), ("", "en")])  # fmt: skip
def test_the_nearest_language(tag: str | None, language: str) -> None:
    assert nearest(tag) == language


def _refused(**fields: object) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        requests.make("image", **fields)
    return caught.value


def test_an_error_is_a_sentence_in_the_readers_language() -> None:
    error = _refused(width=100)
    assert field_of(error) == "width"
    english, chinese = (sentence(error, Words(), language) for language in LANGUAGES)
    assert english == "Width, pixels: got 100, allowed is at least 64, at most 2,048, a multiple of 8."
    assert chinese == "宽（像素）：收到 100，允许的是至少 64，至多 2,048，8 的倍数。"


@pytest.mark.parametrize("field", LABELS)
def test_every_field_of_the_form_has_a_label(field: str) -> None:
    assert LABELS[field] in Words()
    inner = (requests.Part, requests.Blend, requests.Margins)
    assert any(field in kind.model_fields for kind in (*requests.KINDS.values(), *inner))


def test_errors_without_a_field_go_to_the_model_or_to_the_form() -> None:
    assert field_of(UnknownModel("no")) == "model"
    assert field_of(NotAllowed("too many")) == ""
    assert sentence(NotAllowed("Too many."), Words(), "zh-CN") == "Too many."
    assert field_of(_refused(colour="red")) == ""


ROOT = STATIC.parent.parent
SENTENCES = json.loads(PHRASES.read_text(encoding="utf-8"))


def _written() -> Iterator[str]:
    """Every text in our sources, with {} where a value goes."""
    for folder in ("pipelines", "studio"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield PLACE.sub("{}", node.value)  # one for str.format has names in its places
                elif isinstance(node, ast.JoinedStr):
                    yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)


def test_translated_sentences_are_sentences_that_we_say() -> None:
    said = {text.removesuffix("{}") for text in _written()}
    ours = {PLACE.sub("{}", english).removesuffix("{}") for english, _ in SENTENCES}
    assert ours - said == set()


def test_translated_sentences_keep_their_values() -> None:
    for english, chinese in SENTENCES:
        assert set(PLACE.findall(chinese)) <= set(PLACE.findall(english)), english
        assert Words().phrase(PLACE.sub("7", english), "zh-CN") == PLACE.sub("7", chinese)


def test_values_inside_a_sentence_are_translated_too() -> None:
    words = Words()
    assert words.phrase("picture: got a PDF, allowed is x.", "zh-CN") == "图片：收到PDF 文件，允许的是x。"
    assert words.phrase("picture: got a PDF, allowed is x.", "en") == "picture: got a PDF, allowed is x."
    assert words.phrase("Nobody has said this.", "zh-CN") == "Nobody has said this."
    assert words.phrase("loading (.*)", "zh-CN") == "正在加载 (.*)"
