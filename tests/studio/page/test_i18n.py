"""One place for every word: complete in both languages, and nothing on the page that is not in it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

import pytest

from pipelines import requests
from studio.page.i18n import FILE, LANGUAGES, Words

STATIC = FILE.parent.parent
PAIRS = json.loads(FILE.read_text(encoding="utf-8"))
LABELS = json.loads(FILE.with_name("labels.json").read_text(encoding="utf-8"))  # field -> its word
PLACE = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("key", PAIRS)
def test_every_word_has_both_languages_and_the_same_places_for_values(key: str) -> None:
    texts = PAIRS[key]
    assert len(texts) == len(LANGUAGES)
    assert all(text.strip() for text in texts)
    assert set(PLACE.findall(texts[0])) == set(PLACE.findall(texts[1]))


def test_the_scripts_use_only_words_that_there_are() -> None:
    used = {key for file in STATIC.rglob("*.js") for key in re.findall(r'\bt\("([\w.]+)"', file.read_text("utf-8"))}
    assert used
    assert used <= set(PAIRS)


def test_the_words_of_gradio_are_the_same_words() -> None:
    flat = Words().by_language()
    assert set(flat) == set(LANGUAGES)
    assert [flat[language]["triptych.generate"] for language in LANGUAGES] == PAIRS["generate"]


@pytest.mark.parametrize("field", LABELS)
def test_every_field_of_the_form_has_a_label(field: str) -> None:
    assert LABELS[field] in Words()
    inner = (requests.Part, requests.Blend, requests.Margins)
    assert any(field in kind.model_fields for kind in (*requests.KINDS.values(), *inner))


ROOT = STATIC.parent.parent.parent
SENTENCES = json.loads(FILE.with_name("phrases.json").read_text(encoding="utf-8"))


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
