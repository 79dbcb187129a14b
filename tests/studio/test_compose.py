"""What a composed request goes through outside the models: refusals, admission, metadata, the page's form."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import pytest
from PIL import Image

from pipelines import requests
from pipelines.errors import InvalidRequest
from pipelines.requests import ImageRequest, Part
from studio import limits, metadata
from studio.tabs.compose import request_of
from studio.tabs.compose_ways import WAYS
from studio.tabs.forms import Missing
from studio.tabs.sentences import field_of, sentence
from studio.words import LANGUAGES, Words
from tests.serving import finished

A, B, C = "a" * 64, "b" * 64, "c" * 64
WORDS = Words()


def refused(**fields: object) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        requests.make("image", **fields)
    return caught.value


# --- sentences for what is inside a part ---


@pytest.mark.parametrize(
    ("fields", "field", "allowed"),
    [
        ({"parts": [{"text": "x"}] * 20}, "parts", "at most 12 parts (20 came)"),
        ({"parts": [{"picture": A}] * 5}, "parts", "at most 4 pictures (5 came)"),
        ({"parts": [{"text": "x", "weight": 3}]}, "parts.0.weight", "at least 0, at most 2"),
        (
            {"parts": [{"text": "x"}, {"text": "y", "role": "why"}]},
            "parts.1.role",
            "one of 'what', 'how', 'where', 'not'",
        ),
        ({"parts": [{}]}, "parts.0", "a text or a picture, one of them"),
        ({"parts": [{"text": "x", "picture": A}]}, "parts.0", "a text or a picture, one of them"),
        ({"parts": [{"text": "x", "colour": 1}]}, "parts.0.colour", "one of role, text, picture, weight"),
        ({"parts": [{"text": "x" * 10_001}]}, "parts.0.text", "at most 10,000 characters"),
        ({"parts": ["x"]}, "parts.0", "an object with role, text, picture, weight"),
        ({"blend": {"at": 2}}, "blend.at", "at least 0, at most 1"),
        ({"blend": {"frames": 10}}, "blend.frames", "at least 1, at most 9"),
        ({"expand": {"left": 12}}, "expand.left", "at least 0, at most 1,024, a multiple of 8"),
        ({"gate": 1.5}, "gate", "at least 0, at most 1"),
    ],
)
def test_a_refusal_names_the_place_and_what_is_allowed(fields, field, allowed):
    error = refused(**fields)
    assert (error.field, error.allowed) == (field, allowed)


def test_what_is_nested_is_summed_up():
    assert refused(parts=[{"picture": A}] * 20).got == "a list of 20"
    assert refused(parts=[{"text": "x", "picture": A}]).got == "an object with text, picture"


def test_the_page_says_it_in_both_languages():
    error = refused(parts=[{"text": "x"}, {"text": "y", "weight": 3}])
    assert field_of(error, {"parts"}) == "parts"
    english, chinese = (sentence(error, WORDS, language) for language in LANGUAGES)
    assert english == "Part 2, Weight: got 3, allowed is at least 0, at most 2."
    assert chinese == "第 2 部分，权重：收到 3，允许的是至少 0，至多 2。"
    many = refused(parts=[{"text": "x"}] * 20)
    assert "最多 12 个组成部分（收到 20 个）" in sentence(many, WORDS, "zh-CN")


# --- the form's values ---

FORM = {"prompt": "", "negative_prompt": None, "model": "sprite", "width": 64, "height": 64, "count": 1, "seed": None,
        "steps": 2, "strength": 0.5, "start_picture": "", "mask": "", "expand": "", "parts": "[]", "gate": 0.5,
        "auto_gate": True, "mask_blur": None, "mask_padding": None, "only_masked": True, "blend_prompt": "",
        "blend_picture": "", "frames": 5, "at": 0.5, "blend_seed": -1, "early_stop": None}  # fmt: skip
ROOM = SimpleNamespace(
    words=WORDS, catalog=SimpleNamespace(find=lambda model: SimpleNamespace(adapter=ADAPTERS[model]))
)
ADAPTERS = {"sprite": None, "seeing": SimpleNamespace(fault=""), "broken": SimpleNamespace(fault="It is damaged.")}


def composed(way: str, **values: object) -> ImageRequest:
    return request_of({**FORM, "way": way, **values}, ROOM, "en")


def cards(*parts: dict) -> str:
    return json.dumps(parts)


def test_cards_become_parts_and_what_the_page_alone_knows_stays_there():
    request = composed("free", parts=cards({"role": "how", "picture": A, "weight": 1.5, "caption": "a cat"}))
    assert request.parts == (Part(role="how", picture=A, weight=1.5),)
    assert request.auto_gate


def test_words_alone_are_a_part():
    request = composed("free", prompt="a blue heart")
    assert (request.words, request.parts) == ("a blue heart", (Part(text="a blue heart"),))
    with pytest.raises(Missing):
        composed("free", prompt="  ")


def test_a_way_takes_only_what_it_shows():
    left_over = {"mask": B, "expand": '{"left": 64}', "blend_prompt": "a dog", "start_picture": A}
    request = composed("free", parts=cards({"role": "what", "text": "a cat"}), **left_over)
    assert (request.mask, request.expand.any, request.blend, request.beginning) == (None, False, None, None)
    assert not request.auto_gate
    assert not request.only_masked


def test_each_way_asks_for_its_own():
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


@pytest.mark.parametrize(
    ("model", "roles"), [("seeing", ["where", "what"]), ("broken", ["where"]), ("sprite", ["where"])]
)
def test_a_variation_is_shown_its_picture_where_the_model_can_see(model, roles):
    request = composed("variations", model=model, start_picture=A)
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
def test_what_is_missing_is_said_at_its_field(way, values, field):
    with pytest.raises(Missing) as caught:
        composed(way, **values)
    assert caught.value.field == field
    assert caught.value.text


@pytest.mark.parametrize("way", WAYS)
def test_every_way_has_its_words_and_its_missing_ones(way):
    assert f"compose.way.{way}" in WORDS
    assert f"compose.way.{way}.text" in WORDS
    with pytest.raises(Missing):
        composed(way)


def test_hidden_fields_that_hold_nonsense_are_refused():
    with pytest.raises(InvalidRequest):
        composed("free", parts="{")
    with pytest.raises(InvalidRequest):
        composed("free", parts='["x"]')


# --- metadata ---


def png(size: int = 64) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((size, size)).convert("RGB").save(file, "PNG")
    return file.getvalue()


def test_the_whole_composition_is_in_the_picture():
    request = ImageRequest(
        prompt="a cat", negative_prompt="blur", mask=B, only_masked=True, gate=0.25, auto_gate=True,
        parts=[{"role": "how", "text": "in oil"}, {"role": "not", "text": "a frame"}, {"role": "where", "picture": A}],
        blend={"prompt": "a dog", "picture": C}, expand={"left": 8},
    )  # fmt: skip
    found = metadata.read(metadata.write(png(), request))
    good, notes = found.usable()
    assert notes == []
    assert requests.make("image", **good) == request
    assert found.raw.splitlines()[:2] == ["a cat, in oil", "Negative prompt: blur, a frame"]
    for said in ("Denoising strength: 0.6", "Mask blur: 4", "Inpaint area: Only masked", "Masked area padding: 32"):
        assert said in found.raw


def test_long_texts_inside_parts_are_cut_in_views():
    request = ImageRequest(parts=[{"text": "x" * 9000}])
    assert len(request.shown()["parts"][0]["text"]) == requests.SHOWN


# --- over HTTP ---


@pytest.fixture
def client(studio):
    with studio.client() as client:
        yield client


TINY = {"model": "tiny", "steps": 2, "width": 64, "height": 64, "seed": 5}


def kept(client, data: bytes) -> str:
    return client.post("/api/uploads", files={"file": data}).json()["sha256"]


def test_a_part_whose_picture_is_gone_is_named(client):
    parts = [{"text": "a cat"}, {"role": "where", "picture": A}]
    error = client.post("/api/jobs", json={**TINY, "parts": parts}).json()["error"]
    gone = "got a picture that is not here any more, allowed is one that is: add it again."
    assert (error["field"], error["message"]) == ("parts.1.picture", f"parts.1.picture: {gone}")
    error = client.post("/api/jobs", json={**TINY, "blend": {"picture": A}}).json()["error"]
    assert error["field"] == "blend.picture"


def test_the_api_describes_every_field_without_references(client):
    schema = client.get("/api/openapi.json").json()["paths"]["/api/jobs"]["post"]["requestBody"]
    assert "$ref" not in json.dumps(schema)
    assert "'where'" in str(schema)


def test_a_composed_picture_keeps_its_parts_and_their_stored_copies(client, monkeypatch):
    monkeypatch.setattr(limits, "UPLOADS_PER_OWNER", 3)
    sha = kept(client, png())
    parts = [{"text": "a cat"}, {"role": "where", "picture": sha}]
    answer = client.post("/api/jobs", json={**TINY, "parts": parts})
    assert answer.status_code == 201, answer.text
    view = finished(client, answer.json()["jobs"][0]["id"])
    assert view["status"] == "done", view
    for size in range(65, 72):
        kept(client, png(size))
    assert client.get(f"/api/uploads/{sha}").status_code == 200
    assert client.get(f"/api/uploads/{kept(client, png(80))}").status_code == 200
    image = client.get(view["artifact"]["url"]).content
    fields = client.post("/api/info", files={"file": image}).json()["fields"]
    assert fields["parts"] == [{"role": "what", "text": "a cat", "picture": None, "weight": 1.0},
                               {"role": "where", "text": "", "picture": sha, "weight": 1.0}]  # fmt: skip
    client.delete(f"/api/gallery/{view['artifact']['id']}")
    kept(client, png(90))
    assert client.get(f"/api/uploads/{sha}").status_code == 404


def test_a_stored_picture_comes_small(client):
    answer = client.get(f"/api/uploads/{kept(client, png(800))}/thumb")
    assert answer.headers["content-type"] == "image/webp"
    assert max(Image.open(io.BytesIO(answer.content)).size) == limits.THUMB_SIDE
    assert client.get(f"/api/uploads/{A}/thumb").status_code == 404
    assert client.get(f"/api/uploads/{A}/caption").status_code == 422


def test_a_stored_picture_is_described_without_a_trace(client):
    answer = client.get(f"/api/uploads/{kept(client, png())}/caption")
    assert answer.status_code == 200, answer.text
    assert answer.json()["caption"]
    assert client.get("/api/gallery").json()["items"] == []
    assert client.get("/api/jobs").json()["jobs"] == []
