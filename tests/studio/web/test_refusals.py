"""Bad input: each gets one clear sentence and the right status; no traceback, no path."""

from __future__ import annotations

import json

import pytest

FIELDS = {
    "steps": [0, 10_000, "many", None, 1.5],
    "width": [1, 100_000, 65, -64, "x"],
    "height": [1, 100_000, 63],
    "guidance_scale": [-1, 31, "nan"],
    "sampler": ["PLMS", 3, ""],
    "seed": [-2, 2**32, "x"],
    "count": [0, 9],
    "strength": [0, 1.1],
    "prompt": ["x" * 1_000_000, 5, ["a"]],
    "negative_prompt": ["x" * 10_001],
    "model": ["", "x" * 201],
    "priority": ["urgent"],
    "start_picture": ["abc", "../../secret", "A" * 64],
    "nonsense": [1],
}


@pytest.fixture
def client(browser):
    return browser()


def refused(answer, status: int = 422) -> dict:
    error = answer.json()["error"]
    assert answer.status_code == status, error
    message = error["message"]
    assert 10 < len(message) < 400
    assert message.endswith(".")
    assert "\n" not in message
    for leak in ("Traceback", ".py", "/root", "/tmp", "/home", "pydantic", "site-packages"):
        assert leak not in message
    return error


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in FIELDS.items() for value in values])
def test_fields_out_of_bounds(client, field, value):
    error = refused(client.post("/api/jobs", json={"prompt": "a fox", field: value}))
    assert error["field"].split(".")[0] == field
    assert ": got " in error["message"]
    assert ", allowed is " in error["message"]
    assert " should " not in error["message"]  # the words of a library


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none(client, value):
    error = refused(client.post("/api/jobs", content=f'{{"guidance_scale": {value}}}'))
    assert error["field"] == "guidance_scale"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"3", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000, b'{"width": ' + b"9" * 5000 + b"}"]
)
def test_bodies_that_are_no_request(client, body):
    refused(client.post("/api/jobs", content=body))


def test_unknown_kind_and_model(client):
    assert refused(client.post("/api/jobs", json={"kind": "smell"}))["field"] == "kind"
    refused(client.post("/api/jobs", json={"kind": ["image"]}))
    error = refused(client.post("/api/jobs", json={"model": "nope"}))
    assert (error["code"], error["field"]) == ("unknown_model", "model")
    refused(client.post("/api/jobs", json={"model": "../../etc/passwd"}))


def test_a_folder_with_pickles_only_is_refused(browser, tmp_path):
    folder = tmp_path / "models" / "pickled" / "unet"
    folder.mkdir(parents=True)
    (folder.parent / "model_index.json").write_text(
        '{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "x"]}'
    )
    (folder / "config.json").write_text(json.dumps({"sample_size": 8, "in_channels": 4, "block_out_channels": [32]}))
    (folder / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04.")
    answer = browser().post("/api/jobs", json={"model": "pickled", "width": 64, "height": 64})
    error = refused(answer, 409)
    assert error["code"] == "model_unavailable"
    assert str(tmp_path) not in error["message"]


@pytest.mark.parametrize("file", ["old.ckpt", "old/model.ckpt", "old/pytorch_model.bin", "old/weights.pt"])
@pytest.mark.parametrize("index", [False, True])
def test_a_model_that_is_nothing_but_a_pickle_is_refused_as_one(browser, tmp_path, file, index):
    path = tmp_path / "models" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x80\x04.")
    if index and path.parent.name == "old":
        (path.parent / "config.json").write_text('{"model_type": "clip", "architectures": ["CLIPModel"]}')
    client = browser()
    error = refused(client.post("/api/jobs", json={"model": "old"}), 409)
    assert (error["code"], error["field"]) == ("model_unavailable", "model")
    assert error["message"] == (
        "old keeps its weights as a pickle, which can run anything; only safetensors files are opened."
    )
    assert "old" not in [model["id"] for model in client.get("/api/models").json()["models"]]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[]", '{"_class_name": ["a"]}', '{"_class_name": "\\ud83e"}', '{"_class_name": "x"}']
)
def test_a_strange_folder_takes_no_other_model_away(browser, tmp_path, text):
    for name in ("odd", "a\udcff"):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "model_index.json").write_text(text)
    client = browser()
    listed = client.get("/api/models")
    assert listed.status_code == 200
    assert listed.json()["models"]
    reasons = {each["id"]: each["reason"] for each in listed.json()["refused"]}
    assert set(reasons) == {"odd", "a\\udcff"}
    assert all(reason.endswith(".") and str(tmp_path) not in reason for reason in reasons.values())
    assert refused(client.post("/api/jobs", json={"model": "odd"}), 409)["message"] == reasons["odd"]
    assert refused(client.post("/api/jobs", json={"model": "nope"}))["code"] == "unknown_model"


def test_uploads(client):
    assert refused(client.post("/api/uploads", files={"file": b"a text file"}))["field"] == "picture"
    assert refused(client.post("/api/info", files={"file": b"a text file"}))["field"] == "picture"
    refused(client.post("/api/uploads", files={"other": b"x"}))
    refused(client.post("/api/uploads"))


@pytest.mark.parametrize(
    "path", ["/files/x", "/files/..%2f..%2fsecret", "/thumbs/x", "/api/gallery/x", "/api/jobs/x", "/api/nothing/at/all"]
)
def test_what_is_not_there(client, path):
    assert refused(client.get(path), 404)["code"] == "not_found"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=100000", "limit=x", "before=x", "before=" + "9" * 30, "text=" + "x" * 2000]
)
def test_gallery_queries(client, query):
    refused(client.get(f"/api/gallery?{query}"))


def test_other_calls(client):
    refused(client.get("/api/gallery.zip?ids="))
    refused(client.get("/api/gallery.zip?ids=" + "x," * 300))
    refused(client.get("/api/gallery.zip?ids=x"), 404)
    refused(client.post("/api/jobs/order", json={"ids": "x"}))
    refused(client.post("/api/jobs/order", json={"ids": ["x"]}), 404)
    refused(client.post("/api/jobs/x/explode"))
    refused(client.put("/api/jobs"), 405)


@pytest.mark.parametrize(
    "prompt", ["🦊🎨✨", "ثعلب أحمر في الغابة", "一只狐狸", "", "a\x00b", "🏳️‍🌈" * 100, "\u202eabc"]
)
def test_prompts_in_any_script_are_taken(browser, tiny_models, prompt):
    client = browser(models_dir=tiny_models)
    answer = client.post("/api/jobs", json={"prompt": prompt, "model": "tiny", "width": 64, "height": 64})
    assert answer.status_code == 201, answer.text
    assert answer.json()["jobs"][0]["request"]["prompt"] == prompt


def test_an_error_of_our_own_says_nothing_of_the_inside(client, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("/root/secret/path.py")

    monkeypatch.setattr(type(client.app.state.studio.engine), "views", fail)
    refused(client.get("/api/jobs"), 500)
