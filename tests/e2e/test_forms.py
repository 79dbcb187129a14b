"""What the forms of the page ask for, and what is said where something is wrong, in both languages."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser

from pipelines import requests
from pipelines.errors import InvalidRequest
from pipelines.requests import ImageRequest, Part
from studio.page.i18n import FILE, Words
from studio.page.tabs.compose_modes import WAYS
from tests.e2e.support.scripts import Refused, Scripts

pytestmark = pytest.mark.e2e

A, B = "a" * 64, "b" * 64
PLACE = re.compile(r"\{(\w+)\}")
SENTENCES = json.loads(FILE.with_name("phrases.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def english(browser: Browser) -> Scripts:
    return Scripts(browser)


@pytest.fixture(scope="module")
def chinese(browser: Browser) -> Scripts:
    return Scripts(browser, "zh-CN")


# --- the Compose tab ---

FORM = {"prompt": "", "negative_prompt": None, "model": "sprite", "width": 64, "height": 64, "count": 1, "seed": None,
        "steps": 2, "strength": 0.5, "start_picture": "", "mask": "", "expand": "", "parts": "[]", "gate": 0.5,
        "auto_gate": True, "mask_blur": None, "mask_padding": None, "only_masked": True, "blend_prompt": "",
        "blend_picture": "", "frames": 5, "at": 0.5, "blend_seed": -1, "early_stop": None}  # fmt: skip


@pytest.fixture
def composed(english):
    def composed(way: str, sees: bool = False, **values: object) -> ImageRequest:
        asked = english.call("compose/request", "composition", {**FORM, "way": way, **values}, sees)
        return requests.make(asked.pop("kind"), **asked)

    return composed


def cards(*parts: dict) -> str:
    return json.dumps(parts)


def test_cards_become_parts_and_what_the_page_alone_knows_stays_there(composed):
    request = composed("free", parts=cards({"role": "how", "picture": A, "weight": 1.5, "caption": "a cat"}))
    assert request.parts == (Part(role="how", picture=A, weight=1.5),)
    assert request.auto_gate


def test_words_alone_are_a_part(composed):
    request = composed("free", prompt="a blue heart")
    assert (request.words, request.parts) == ("a blue heart", (Part(text="a blue heart"),))
    with pytest.raises(Refused):
        composed("free", prompt="  ")


def test_a_way_takes_only_what_it_shows(composed):
    left_over = {"mask": B, "expand": '{"left": 64}', "blend_prompt": "a dog", "start_picture": A}
    request = composed("free", parts=cards({"role": "what", "text": "a cat"}), **left_over)
    assert (request.mask, request.expand.any, request.blend, request.beginning) == (None, False, None, None)
    assert not request.auto_gate
    assert not request.only_masked


def test_each_way_asks_for_its_own(composed):
    assert composed("variations", start_picture=A).beginning == A
    restyled = composed("restyle", start_picture=A, parts=cards({"role": "how", "picture": B}))
    assert [(part.role, part.picture) for part in restyled.parts] == [("how", B), ("where", A)]
    inpainted = composed("inpaint", start_picture=A, mask=B, prompt="a hat")
    assert (inpainted.beginning, inpainted.mask, inpainted.only_masked) == (A, B, True)
    extended = composed("outpaint", start_picture=A, expand='{"left": 64, "top": 0}', width=128)
    assert extended.expand.left == 64
    blended = composed("blend", prompt="a cat", blend_prompt="a dog", count=4)
    assert (blended.blend.prompt, blended.blend.frames, blended.count) == ("a dog", 5, 1)
    assert composed("words", start_picture=A, prompt="a hat", mask=B).mask == B


@pytest.mark.parametrize(("sees", "roles"), [(True, ["where", "what"]), (False, ["where"])])
def test_a_variation_is_shown_its_picture_where_the_model_can_see(composed, sees, roles):
    request = composed("variations", sees, start_picture=A)
    assert [part.role for part in request.parts] == roles
    assert {part.picture for part in request.parts} == {A}


@pytest.mark.parametrize(
    ("way", "values", "field"),
    [
        ("free", {}, "parts"),
        ("variations", {}, "start_picture"),
        ("restyle", {}, "start_picture"),
        ("restyle", {"start_picture": A, "parts": cards({"role": "how", "text": "oil"})}, "parts"),
        ("words", {"start_picture": A}, "prompt"),
        ("inpaint", {"start_picture": A}, "mask"),
        ("outpaint", {"start_picture": A, "expand": '{"left": 0}'}, "expand"),
        ("blend", {"prompt": "a cat"}, "blend"),
    ],
)
def test_what_is_missing_is_said_at_its_field(composed, way, values, field):
    with pytest.raises(Refused) as caught:
        composed(way, **values)
    assert caught.value.field == field
    assert " " in str(caught.value)  # a sentence, not a key


@pytest.mark.parametrize("way", WAYS)
def test_every_way_has_its_words_and_its_missing_ones(composed, way):
    assert f"compose.way.{way}" in Words()
    assert f"compose.way.{way}.text" in Words()
    with pytest.raises(Refused):
        composed(way)


def test_hidden_fields_that_hold_nonsense_are_refused(composed):
    for parts in ("{", '["x"]'):
        with pytest.raises(Refused) as caught:
            composed("free", parts=parts)
        assert caught.value.field == "parts"


# --- the Caption tab ---

CAPTION = {"mode": "one", "picture": "", "batch": "", "model": "sprite-captioner", "style": "short", "again": None,
           "prefix": None, "suffix": "", "forbidden": "", "candidates": 3, "max_tokens": 40, "beams": 1,
           "temperature": 0, "seed": None}  # fmt: skip


def test_one_picture_is_a_request_of_its_own(english):
    asked = english.call("caption/form", "requestOf", {**CAPTION, "picture": A, "prefix": "a photo of "})
    request = requests.make(asked.pop("kind"), **asked)
    assert (request.picture, request.prefix, request.suffix, request.batch) == (A, "a photo of ", "", "")


def test_many_pictures_are_a_run_of_their_batch(english):
    asked = english.call("caption/form", "requestOf", {**CAPTION, "mode": "many", "batch": "b1", "again": True})
    assert asked["batch"] == "b1"
    assert asked["run"]["again"] is True
    assert requests.make("caption", picture=A, **asked["run"]["settings"]).seed == -1


@pytest.mark.parametrize(("mode", "field"), [("one", "picture"), ("many", "batch")])
def test_without_a_picture_there_is_nothing_to_describe(english, mode, field):
    with pytest.raises(Refused) as caught:
        english.call("caption/form", "requestOf", {**CAPTION, "mode": mode})
    assert caught.value.field == field


# --- the sentences ---


def refused(**fields: object) -> str:
    with pytest.raises(InvalidRequest) as caught:
        requests.make("image", **fields)
    return str(caught.value)


@pytest.mark.parametrize(
    ("fields", "english_text", "chinese_text"),
    [
        (
            {"width": 100},
            "Width, pixels: got 100, allowed is at least 64, at most 2,048, a multiple of 8.",
            "宽（像素）：收到 100，允许的是至少 64，至多 2,048，8 的倍数。",
        ),
        (
            {"parts": [{"text": "x"}, {"text": "y", "weight": 3}]},
            "Part 2, Weight: got 3, allowed is at least 0, at most 2.",
            "第 2 部分，权重：收到 3，允许的是至少 0，至多 2。",
        ),
    ],
)
def test_a_refusal_is_a_sentence_in_the_readers_language(english, chinese, fields, english_text, chinese_text):
    assert english.call("core/i18n", "invalid", refused(**fields)) == english_text
    assert chinese.call("core/i18n", "invalid", refused(**fields)) == chinese_text


def test_what_is_allowed_is_translated_as_a_whole_where_it_is_one_phrase(chinese):
    said = chinese.call("core/i18n", "invalid", refused(parts=[{"text": "x"}] * 20))
    assert "最多 12 个组成部分（收到 20 个）" in said


def test_a_sentence_that_nobody_has_translated_stays_as_it_came(chinese):
    assert chinese.call("core/i18n", "phrase", "Nobody has said this.") == "Nobody has said this."


def test_translated_sentences_keep_their_values(chinese):
    said = chinese.page.evaluate(
        "async (texts) => { const { phrase } = await import('/core/i18n.js'); return texts.map(phrase); }",
        [PLACE.sub("7", english) for english, _ in SENTENCES],
    )
    assert said == [PLACE.sub("7", other) for _, other in SENTENCES]


def test_values_inside_a_sentence_are_translated_too(english, chinese):
    asked = "picture: got a PDF, allowed is x."
    assert chinese.call("core/i18n", "phrase", asked) == "图片：收到PDF 文件，允许的是x。"
    assert english.call("core/i18n", "phrase", asked) == asked
    assert chinese.call("core/i18n", "phrase", "loading (.*)") == "正在加载 (.*)"
