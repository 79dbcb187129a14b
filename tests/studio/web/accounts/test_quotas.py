"""What one person may keep and ask for: refused in a sentence, before a byte of a body is read."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from PIL import Image
from starlette.testclient import TestClient

from pipelines.errors import NoRoom, TooMany
from studio import limits
from studio.quotas import quotas
from studio.quotas.buckets import Buckets
from studio.quotas.quotas import GIB, Quotas
from studio.settings import Settings
from studio.storage.store import Store
from studio.web.accounts.newcomers import Newcomers

MIB = 2**20
JOB = {"prompt": "a", "width": 64, "height": 64, "steps": 1}


class Unread:
    """A body that nobody may read."""

    def __init__(self):
        self.read_bytes = 0

    def __iter__(self):
        for _ in range(100):
            self.read_bytes += MIB
            yield b"x" * MIB


@pytest.fixture
def full(monkeypatch):
    """full(free): the disk has so many bytes left, of 1 TiB."""

    def make(free: int) -> None:
        disk = SimpleNamespace(total=2**40, used=0, free=free)
        monkeypatch.setattr(quotas.shutil, "disk_usage", lambda folder: disk)

    return make


def picture(side: int = 64) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((side, side), 90).save(out, "PNG")
    return out.getvalue()


def send(client: TestClient, path: str, length: int | None = 300 * MIB):
    """A body that is announced, and whether any of it was read."""
    body = Unread()
    headers = {"content-type": "multipart/form-data; boundary=B"} | ({"content-length": str(length)} if length else {})
    answer = client.post(path, content=iter(body), headers=headers)
    return answer.status_code, answer.json()["error"], answer.headers


@pytest.fixture
def spooled(monkeypatch):
    """What the framework reads of bodies."""
    from starlette.requests import Request

    seen, stream = [], Request.stream

    async def watched(self):
        seen.append(self.url.path)
        async for chunk in stream(self):
            yield chunk

    monkeypatch.setattr(Request, "stream", watched)
    return seen


@pytest.mark.parametrize("what", ["files", "zip"])
@pytest.mark.parametrize("whose", ["nobody", "another"])
def test_a_body_for_a_batch_that_is_not_ones_own_is_not_read(browser, spooled, what, whose):
    client = browser()
    other = TestClient(client.app, base_url="http://127.0.0.1")
    id = other.post("/api/batches", json={}).json()["batch"]["id"] if whose == "another" else "nobody"
    spooled.clear()
    status, error, _ = send(client, f"/api/batches/{id}/{what}", 10 * MIB)
    assert (status, error["code"], spooled) == (404, "not_found", [])


def test_more_than_one_person_may_keep_is_not_read(browser, spooled):
    client = browser(owner_disk=10 * MIB / GIB)
    status, error, _ = send(client, "/api/uploads", 15 * MIB)
    assert (status, error["code"], spooled) == (507, "no_room", [])
    assert error["message"].startswith("You keep 0.0 GB, and one person may keep 0.0 GB: delete")
    assert client.post("/api/uploads", files={"file": picture()}).status_code == 201


@pytest.mark.parametrize("path", ["/api/uploads", "/api/recordings", "/api/text", "/api/info"])
def test_nothing_is_taken_in_when_the_disk_is_almost_full(browser, full, spooled, path):
    client = browser()
    full(GIB + MIB)
    status, error, _ = send(client, path, 10 * MIB)
    assert (status, error["code"], spooled) == (507, "no_room", [])
    assert "almost full" in error["message"]
    answer = client.post("/api/jobs", json=JOB)
    assert answer.status_code == 201, "a megabyte is left"
    full(GIB - 1)
    assert client.post("/api/jobs", json=JOB).status_code == 507


def test_a_small_disk_is_not_full_at_once(tmp_path, monkeypatch):
    disk = SimpleNamespace(total=2 * GIB, used=0, free=GIB // 2)
    monkeypatch.setattr(quotas.shutil, "disk_usage", lambda folder: disk)
    Quotas(tmp_path, Store(tmp_path / "triptych.db"), Settings(data_dir=tmp_path)).check("ann", MIB)


def test_a_body_of_unknown_length_counts_as_the_longest(browser, full):
    client = browser()
    batch = client.post("/api/batches", json={}).json()["batch"]["id"]
    full(2 * GIB)  # of which one stays free; a zip may have two
    assert send(client, f"/api/batches/{batch}/zip", None)[0] == 507
    assert client.post(f"/api/batches/{batch}/files", files={"file": ("a.png", picture())}).status_code == 201


def test_what_is_kept_counts_wherever_it_lies(browser):
    client = browser()
    engine = client.app.state.studio.engine
    batch = client.post("/api/batches", json={}).json()["batch"]["id"]
    client.post("/api/uploads", files={"file": picture(200)})
    owner = client.app.state.studio.store.rows("SELECT owner FROM batches")[0][0]
    kept = engine.quotas.usage(owner)
    assert kept.files == 1
    assert kept.bytes > 10_000
    client.post(f"/api/batches/{batch}/files", files={"file": ("a.png", picture(300))})
    more = engine.quotas.usage(owner)
    assert more.files == 4
    assert more.bytes > kept.bytes + len(picture(300))
    assert engine.quotas.usage("another") == quotas.Usage(0, 0)


def test_a_zip_ends_where_ones_room_ends(browser, monkeypatch):
    import zipfile

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zip:
        for i in range(12):
            zip.writestr(f"{i}.png", picture(150 + i))
    monkeypatch.setattr(quotas, "KEPT_SECONDS", 0.0)
    client = browser(owner_disk=1.8 * len(archive.getvalue()) / GIB)
    batch = client.post("/api/batches", json={}).json()["batch"]["id"]
    answer = client.post(f"/api/batches/{batch}/zip", files={"file": archive.getvalue()})
    assert answer.status_code == 507
    assert 3 < client.get(f"/api/batches/{batch}/items").json()["found"] < 12


@pytest.fixture
def room(tmp_path):
    store = Store(tmp_path / "triptych.db")
    yield Quotas(tmp_path, store, Settings(data_dir=tmp_path, owner_disk=1))
    store.close()


def test_few_uploads_of_one_owner_come_at_once(room):
    from contextlib import ExitStack

    with ExitStack() as stack:
        for _ in range(limits.UPLOADS_AT_ONCE_PER_OWNER):
            stack.enter_context(room.upload("ann", 1))
        with pytest.raises(TooMany) as refused:
            stack.enter_context(room.upload("ann", 1))
        assert refused.value.seconds > 0
        for i in range(limits.UPLOADS_AT_ONCE - limits.UPLOADS_AT_ONCE_PER_OWNER):
            stack.enter_context(room.upload(f"other{i}", 1))
        with pytest.raises(TooMany):
            stack.enter_context(room.upload("bob", 1))
    with room.upload("ann", 1):
        pass
    assert not room._coming
    assert not room._bytes_coming


def test_uploads_that_come_at_once_share_the_room(room):
    with room.upload("ann", GIB // 2):
        for _ in range(3):  # and a refused one makes no room for the next
            with pytest.raises(NoRoom), room.upload("ann", GIB * 2 // 3):
                pass
    with room.upload("ann", GIB * 2 // 3):
        pass
    assert not room._coming


def test_many_threads_never_let_in_too_many(room):
    most, at_once, lock, barrier = [], [0], threading.Lock(), threading.Barrier(24)

    def one(_: int) -> None:
        barrier.wait(60)
        try:
            with room.upload("ann", 1):
                with lock:
                    at_once[0] += 1
                    most.append(at_once[0])
                with lock:
                    at_once[0] -= 1
        except TooMany:
            pass

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(one, range(24)))
    assert max(most) <= limits.UPLOADS_AT_ONCE_PER_OWNER
    assert not room._coming


# --- pace ---


def test_a_bucket_empties_and_fills():
    now = [0.0]
    buckets = Buckets(10, 2, lambda: now[0])
    assert [buckets.take("a") for _ in range(10)] == [0] * 10
    assert buckets.take("a") == pytest.approx(0.5)
    assert buckets.take("b") == 0
    now[0] += 0.5
    assert buckets.take("a") == 0
    assert buckets.take("a", 1000) > 0, "more than fits waits for a full one"
    now[0] += 100
    assert buckets.take("a", 1000) == 0


def test_buckets_that_are_full_again_take_no_memory():
    now = [0.0]
    buckets = Buckets(10, 1, lambda: now[0])
    for i in range(30_000):
        now[0] += 0.01
        buckets.take(i)
    assert len(buckets._taken) <= 10_001


def test_jobs_may_come_in_a_burst_and_then_ten_a_second(room):
    room._jobs._clock = lambda: 0.0
    for _ in range(limits.JOBS_AT_ONCE // 100):
        room.check_pace("ann", 100, 1000)
    with pytest.raises(TooMany, match="Try again in 11 seconds") as refused:
        room.check_pace("ann", 100, 1000)
    assert refused.value.seconds == 11
    room.check_pace("bob", 100, 1000)


def test_long_texts_are_counted_by_their_length(browser):
    client = browser()
    text = {"kind": "image", **JOB, "prompt": "x" * 1_000}
    bucket = client.app.state.studio.engine.quotas._words
    bucket.size, bucket.per_second = 5_000, 1e-3
    seen = [client.post("/api/jobs", json=text) for _ in range(6)]
    assert [answer.status_code for answer in seen].count(201) >= 2
    assert seen[-1].status_code == 429
    assert int(seen[-1].headers["retry-after"]) >= 1
    assert seen[-1].json()["error"]["code"] == "too_many"


def test_the_line_that_the_studio_fills_itself_is_not_paced(browser):
    client = browser()
    engine = client.app.state.studio.engine
    engine.quotas._jobs.size = 1
    from pipelines.requests import ImageRequest

    for _ in range(3):
        engine.submit("ann", ImageRequest(**JOB), paced=False)
    engine.submit("ann", ImageRequest(**JOB))
    with pytest.raises(TooMany):
        engine.submit("ann", ImageRequest(**JOB))


# --- new owners ---


def fresh(app, path: str = "/api/jobs", method: str = "POST", address: str = "10.0.0.1"):
    """A request of a browser that drops its cookie."""
    client = TestClient(app, base_url="http://127.0.0.1", client=(address, 1), raise_server_exceptions=False)
    return client.request(method, path, json=JOB if method == "POST" else None)


def test_who_drops_the_cookie_each_time_is_held_back_and_nobody_else(browser, monkeypatch):
    monkeypatch.setattr(limits, "OWNERS_AT_ONCE", 5)
    monkeypatch.setattr(limits, "OWNERS_PER_SECOND", 1e-6)
    app = browser().app
    at_home = TestClient(app, base_url="http://127.0.0.1", client=("10.0.0.1", 1))
    assert at_home.post("/api/jobs", json=JOB).status_code == 201
    seen = [fresh(app) for _ in range(8)]
    assert [answer.status_code for answer in seen] == [201] * 4 + [429] * 4
    assert "Keep the cookie between requests" in seen[-1].json()["error"]["message"]
    assert int(seen[-1].headers["retry-after"]) > 0
    assert "set-cookie" not in seen[-1].headers
    assert at_home.post("/api/jobs", json=JOB).status_code == 201, "whoever is here already stays welcome"
    assert {fresh(app, method="GET").status_code for _ in range(20)} == {200}, "looking is free"
    assert fresh(app, address="10.0.0.2").status_code == 201


def test_a_cookie_that_was_got_by_looking_is_no_way_round(browser, monkeypatch):
    monkeypatch.setattr(limits, "OWNERS_AT_ONCE", 3)
    monkeypatch.setattr(limits, "OWNERS_PER_SECOND", 1e-6)
    app, seen = browser().app, []
    for _ in range(5):
        client = TestClient(app, base_url="http://127.0.0.1")
        client.get("/api/jobs")
        seen.append(client.post("/api/jobs", json=JOB).status_code)
    assert seen == [201] * 3 + [429] * 2


def test_owners_of_before_a_restart_are_known():
    newcomers = Newcomers(lambda owner: owner == "old", Buckets(1, 1e-6))
    assert newcomers.wait("new", "a") == 0
    assert newcomers.wait("newer", "a") > 0
    assert newcomers.wait("old", "a") == 0
    assert newcomers.seen("old")
    assert not newcomers.seen("newer")


def test_with_a_login_nobody_is_new(browser, monkeypatch):
    monkeypatch.setattr(limits, "OWNERS_AT_ONCE", 0)
    client = browser(auth="ann:x")
    client.post("/login", data={"name": "ann", "password": "x"})
    assert client.post("/api/jobs", json=JOB).status_code == 201
