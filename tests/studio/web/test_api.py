"""The API as browsers and programs use it: one picture, two owners, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile

import httpx
import pytest
from PIL import Image
from websockets.sync.client import connect

from tests.support.serving import Served, finished

TINY = {"model": "tiny", "steps": 2, "width": 64, "height": 64, "seed": 5}


@pytest.fixture(scope="module")
def mine(studio: Served):
    with studio.client() as client:
        yield client


@pytest.fixture(scope="module")
def other(studio: Served):
    with studio.client() as client:
        yield client


@pytest.fixture(scope="module")
def picture(mine: httpx.Client) -> dict:
    """A finished picture of mine, as its job shows it."""
    [job] = mine.post("/api/jobs", json={"prompt": "a red cat", **TINY}).json()["jobs"]
    view = finished(mine, job["id"])
    assert view["status"] == "done", view
    return view


def test_a_prompt_becomes_a_picture_with_its_settings_inside(mine, picture):
    answer = mine.get(picture["artifact"]["url"])
    image = Image.open(io.BytesIO(answer.content))
    assert image.size == (64, 64)
    assert "a red cat" in image.text["parameters"]
    assert json.loads(image.text["triptych"])["request"]["seed"] == 5
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "image/png"


def test_gallery_lists_searches_and_shows_it(mine, picture):
    id = picture["artifact"]["id"]
    assert id in [item["id"] for item in mine.get("/api/gallery", params={"text": "CAT red"}).json()["items"]]
    assert mine.get("/api/gallery", params={"text": "dog"}).json() == {"items": [], "next": None}
    assert mine.get("/api/gallery", params={"model": "other"}).json()["items"] == []
    whole = mine.get(f"/api/gallery/{id}").json()
    assert whole["request"]["prompt"] == "a red cat"
    assert "Steps: 2" in whole["parameters"]


def test_thumbnail_is_small(mine, picture):
    answer = mine.get(picture["artifact"]["thumb"])
    assert answer.headers["content-type"] == "image/webp"
    assert len(answer.content) <= 20 * 1024


def test_another_owner_finds_nothing_of_it(mine, other, picture):
    id, job = picture["artifact"]["id"], picture["id"]
    for path in (
        f"/files/{id}",
        f"/thumbs/{id}",
        f"/api/gallery/{id}",
        f"/api/gallery.zip?ids={id}",
        f"/api/jobs/{job}",
    ):
        answer = other.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found"), path
    for verb in ("cancel", "pause", "resume", "retry", "filmstrip"):
        assert other.post(f"/api/jobs/{job}/{verb}").status_code == 404, verb
    assert other.post("/api/jobs/order", json={"ids": [job]}).status_code == 404
    assert other.delete(f"/api/gallery/{id}").status_code == 404
    assert other.get("/api/gallery").json()["items"] == []
    assert other.get("/api/jobs").json()["jobs"] == []
    assert mine.get(f"/files/{id}").status_code == 200


def test_zip_holds_the_pictures(mine, picture):
    answer = mine.get("/api/gallery.zip", params={"ids": picture["artifact"]["id"]})
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    [name] = archive.namelist()
    assert archive.read(name) == mine.get(picture["artifact"]["url"]).content


def test_a_zip_whose_files_are_gone_is_refused_in_a_sentence(studio, mine):
    [job] = mine.post("/api/jobs", json=TINY).json()["jobs"]
    id = finished(mine, job["id"])["artifact"]["id"]
    for file in studio.studio.settings.data_dir.glob(f"files/*/{id}.png"):
        file.unlink()
    answer = mine.get("/api/gallery.zip", params={"ids": id})
    message = "The file is missing from the data folder."
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, message)


def test_deleting_leaves_neither_file_nor_row(studio, mine):
    [job] = mine.post("/api/jobs", json=TINY).json()["jobs"]
    id = finished(mine, job["id"])["artifact"]["id"]
    assert mine.delete(f"/api/gallery/{id}").status_code == 204
    assert mine.get(f"/files/{id}").status_code == 404
    assert not list(studio.studio.settings.data_dir.rglob(f"*{id}*"))
    assert mine.delete(f"/api/gallery/{id}").status_code == 404


def test_what_is_deleted_is_on_no_stage_any_more(mine):
    def shown() -> list[str]:
        return [job["id"] for job in mine.get("/api/jobs").json()["jobs"]]

    [job] = mine.post("/api/jobs", json=TINY).json()["jobs"]
    id = finished(mine, job["id"])["artifact"]["id"]
    assert job["id"] in shown()
    mine.delete(f"/api/gallery/{id}")
    assert job["id"] not in shown()


def test_many_are_deleted_in_one_request(studio, mine):
    jobs = mine.post("/api/jobs", json={**TINY, "count": 3}).json()["jobs"]
    ids = [finished(mine, job["id"])["artifact"]["id"] for job in jobs]
    with studio.client() as other:
        assert other.post("/api/gallery/delete", json={"ids": ids}).json() == {"deleted": 0}
    assert mine.post("/api/gallery/delete", json={"ids": [*ids[:2], "unknown"]}).json() == {"deleted": 2}
    assert [mine.get(f"/files/{id}").status_code for id in ids] == [404, 404, 200]
    shown = {job["id"] for job in mine.get("/api/jobs").json()["jobs"]}
    assert {job["id"] for job in jobs} & shown == {jobs[2]["id"]}
    for wrong in ({"ids": ["x"] * 1001}, {"ids": "x"}, {"ids": [1]}, {}):
        assert mine.post("/api/gallery/delete", json=wrong).status_code == 422


def test_pages_follow_each_other(studio):
    with studio.client() as client:
        jobs = client.post("/api/jobs", json={**TINY, "count": 3}).json()["jobs"]
        made = [finished(client, job["id"])["artifact"]["id"] for job in jobs]
        first = client.get("/api/gallery", params={"limit": 2}).json()
        second = client.get("/api/gallery", params={"limit": 2, "before": first["next"]}).json()
    assert second["next"] is None
    assert sorted(made) == sorted(item["id"] for item in first["items"] + second["items"])
    assert sorted(item["seed"] for item in first["items"] + second["items"]) == [5, 6, 7]


def test_start_picture_belongs_to_its_owner(mine, other):
    data = io.BytesIO()
    Image.new("RGB", (80, 64), "red").save(data, "PNG")
    kept = mine.post("/api/uploads", files={"file": data.getvalue()})
    assert kept.status_code == 201
    start = {**TINY, "start_picture": kept.json()["sha256"]}
    [job] = mine.post("/api/jobs", json=start).json()["jobs"]
    assert finished(mine, job["id"])["status"] == "done"
    refused = other.post("/api/jobs", json=start)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "start_picture")


def test_info_reads_back_what_was_written(mine, picture):
    data = mine.get(picture["artifact"]["url"]).content
    found = mine.post("/api/info", files={"file": data}).json()
    assert found["source"] == "triptych"
    assert {**TINY, "prompt": "a red cat"}.items() <= found["fields"].items()
    assert found["notes"] == []


def test_live_tells_of_ones_own_jobs_only(studio, mine, other):
    def socket(client):
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        return connect(studio.url.replace("http", "ws") + "/live", additional_headers={"Cookie": cookie})

    with socket(mine) as ours, socket(other) as theirs:
        [job] = mine.post("/api/jobs", json=TINY).json()["jobs"]
        seen = []
        while not any(e["type"] == "job" and e["job"]["id"] == job["id"] and e["job"]["ended"] for e in seen):
            seen.append(json.loads(ours.recv(30)))
        statuses = [json.loads(theirs.recv(30))]
    assert "status" in [event["type"] for event in seen]
    assert {event["type"] for event in statuses} == {"status"}


def test_filmstrip_stays_out_of_the_gallery(mine, picture):
    [job] = mine.post(f"/api/jobs/{picture['id']}/filmstrip").json()["jobs"]
    view = finished(mine, job["id"])
    assert view["status"] == "done", view
    strip = view["artifact"]
    assert strip["width"] == TINY["steps"] * 64  # at most eight frames, and no more than steps
    assert mine.get(strip["url"]).status_code == 200
    assert strip["id"] not in [item["id"] for item in mine.get("/api/gallery").json()["items"]]


def test_gradio_serves_nothing_of_the_data_folder(studio, mine, picture):
    """Its file route is open to whoever knows a path, so it must know none of ours."""
    folder = studio.studio.settings.data_dir
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in [*files, folder / "secret", "app.py", "pyproject.toml", "/etc/hostname"]:
        for route in ("/gradio_api/file=", "/file=", "/gradio_api/file/"):
            answer = mine.get(f"{route}{path}")
            assert answer.status_code in (403, 404), (route, path)


def test_gradio_takes_no_uploads_beyond_its_limit(mine):
    answer = mine.post("/gradio_api/upload", files={"files": bytes(2 * 2**20)})
    assert answer.status_code >= 400


def test_the_page_names_no_other_host(mine):
    html = mine.get("/").text
    for tag in ("src=", "href="):
        for rest in html.split(tag)[1:]:
            assert not rest[1:].startswith(("http:", "https:", "//")), rest[:100]
