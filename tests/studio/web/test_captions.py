"""The routes of captions: bad pictures, bad archives, bad calls, each one sentence; and captions written anew."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.studio.support.batch_studio import picture
from tests.studio.web.test_refusals import refused


@pytest.fixture
def client(browser: Callable[..., TestClient]) -> TestClient:
    return browser()


@pytest.fixture
def batch(client: TestClient) -> str:
    return f"/api/batches/{client.post('/api/batches', json={'name': 'set'}).json()['batch']['id']}"


def sent(client: TestClient, batch: str, data: bytes, name: str = "a.png") -> dict:
    answer = client.post(f"{batch}/files", files={"file": ("a", data)}, data={"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json()["item"]


def drawn(mode: str, form: str = "PNG", size: tuple[int, int] = (8, 8), **more: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, 1).save(file, form, **more)
    return file.getvalue()


def palette() -> bytes:
    file = io.BytesIO()
    image = Image.new("P", (8, 8))
    image.putpalette([255, 0, 0] * 256)
    image.save(file, "PNG", transparency=0)
    return file.getvalue()


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture("red", (40, 20), "JPEG", exif=exif)


def moving(form: str) -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(file, form, save_all=True, append_images=frames[1:])
    return file.getvalue()


GOOD = {
    "1x1": (picture("red", (1, 1)), (1, 1), ""),
    "1x20000": (picture("red", (1, 20_000)), (1, 20_000), ""),
    "16 bits": (drawn("I;16"), (8, 8), "16 bits"),
    "CMYK": (drawn("CMYK", "JPEG"), (8, 8), "CMYK"),
    "palette": (palette(), (8, 8), "Transparent"),
    "turned": (turned(), (20, 40), ""),
    "gif": (moving("GIF"), (8, 8), "first frame"),
    "webp": (moving("WEBP"), (8, 8), "first frame"),
    "apng": (moving("PNG"), (8, 8), "first frame"),
}
BAD = {
    "text": (b"hello", "a text file"),
    "empty": (b"", "an empty file"),
    "truncated": (picture("red", (300, 300))[:200], "damaged"),
    "HEIC": (b"\x00\x00\x00\x18ftypheic" + bytes(64), "HEIC"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG"),
    "zip": (b"PK\x03\x04" + bytes(40), "a zip"),
}


@pytest.mark.parametrize("kind", GOOD)
def test_pictures_of_every_kind(client, batch, kind):
    data, size, note = GOOD[kind]
    item = sent(client, batch, data)
    assert (item["status"], (item["width"], item["height"])) == ("new", size)
    assert note in item["notes"]
    assert client.get(item["thumb"]).headers["content-type"] == "image/webp"
    assert client.get(item["picture"]).headers["content-type"] == "image/png"


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_picture_is_said_beside_its_name(client, batch, kind):
    data, said = BAD[kind]
    item = sent(client, batch, data, "../😀" + "x" * 400)
    assert item["status"] == "refused"
    assert said in item["error"]
    assert item["error"].endswith(".")
    assert ".." not in item["name"]
    assert len(item["name"]) <= 300
    assert client.get(f"{batch.replace('/api', '')}/{item['number']}/thumb").status_code == 404


def test_a_zip_is_looked_through_and_another_file_refused(client, batch):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a.png", picture())
        made.writestr("a.txt", "mine")
        made.writestr("../b.png", picture("blue"))
    answer = client.post(f"{batch}/zip", files={"file": ("x.zip", file.getvalue())}).json()
    assert (answer["files"], answer["batch"]["counts"]) == (3, {"kept": 1, "refused": 1})
    assert sent(client, batch, picture(), "a.png")["number"] == 1  # sent once more: there already
    for data in (b"", b"no zip", file.getvalue()[:-30]):
        refused(client.post(f"{batch}/zip", files={"file": ("x.zip", data)}))


def test_bad_calls(client, batch):
    refused(client.get("/api/batches/nope"), 404)
    refused(client.post("/api/batches", json={"name": "x" * 301}))
    refused(client.get(f"{batch}/export"), 409)
    refused(client.post(f"{batch}/run", json={}), 409)
    refused(client.post(f"{batch}/undo"), 409)
    item = sent(client, batch, picture())
    for settings, field in (({"style": "loud"}, "style"), ({"candidates": 0}, "candidates"), ({"x": 1}, "x"),
                            ({"beams": 2, "temperature": 1}, "temperature")):  # fmt: skip
        assert refused(client.post(f"{batch}/run", json={"settings": settings}))["field"] == field
    assert refused(client.post(f"{batch}/run", json={"settings": {"model": "nope"}}))["code"] == "unknown_model"
    for change in ({}, {"action": "burn"}, {"action": "replace", "find": ""}, {"action": "add", "put": "x" * 2000}):
        refused(client.post(f"{batch}/edit", json=change))
    for query in ("limit=0", "offset=-1", "order=luck", "which=none", "limit=" + "9" * 40):
        refused(client.get(f"{batch}/items?{query}"))
    refused(client.get(f"{batch}/export?form=exe"))
    refused(client.patch(f"{batch}/items/99", json={"text": "x"}), 404)
    refused(client.patch(f"{batch}/items/{item['number']}", json={"text": "x" * 20_001}))
    refused(client.patch(f"{batch}/items/{item['number']}", json={}))
    half, kind = b'{"text": "\\ud800"}', {"content-type": "application/json"}
    refused(client.patch(f"{batch}/items/1", content=half, headers=kind))
    assert client.get("/files/nope").status_code == 404


def test_a_batch_is_its_owners_alone(client, batch):
    sent(client, batch, picture())
    stranger = TestClient(client.app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    for path in (batch, f"{batch}/items", f"{batch}/export", f"{batch.replace('/api', '')}/1/thumb"):
        refused(stranger.get(path), 404)
    refused(stranger.delete(batch), 404)
    assert stranger.get("/api/batches").json() == {"batches": []}
    assert client.delete(batch).status_code == 204
    assert client.get("/api/batches").json() == {"batches": []}


def test_every_route_is_in_the_description(client):
    paths = client.get("/api/openapi.json").json()["paths"]
    for path, verbs in {"/api/batches": {"get", "post"}, "/api/batches/{id}/files": {"post"},
                        "/api/batches/{id}/zip": {"post"}, "/api/batches/{id}/export": {"get"},
                        "/api/batches/{id}/items/{number}": {"patch"}}.items():  # fmt: skip
        assert verbs <= set(paths[path])
    assert {"get", "patch", "delete"} <= set(paths["/api/gallery/{id}"])
