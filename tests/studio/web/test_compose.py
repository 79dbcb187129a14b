"""What a composed request goes through outside the models: refusals, admission, metadata."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from pipelines import requests
from pipelines.errors import InvalidRequest
from pipelines.requests import ImageRequest
from studio import limits
from studio.formats.metadata import metadata
from tests.support.serving import finished

A, B, C = "a" * 64, "b" * 64, "c" * 64


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
