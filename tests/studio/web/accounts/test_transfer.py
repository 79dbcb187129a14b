"""One's own gallery: it comes into another browser with a code, and nobody else's does."""

from __future__ import annotations

import io
import time

import pytest
from PIL import Image
from starlette.testclient import TestClient

from pipelines.errors import NotFound
from studio import limits
from studio.storage.store import Store
from studio.web.accounts import owners, transfer
from studio.web.accounts.owner_list import kept_by
from studio.web.accounts.sessions import Sessions
from studio.web.accounts.transfer import Codes
from studio.web.api import create_api

JOB = {"prompt": "a", "width": 64, "height": 64, "steps": 1}


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, "PNG")
    return out.getvalue()


def another(client: TestClient) -> TestClient:
    return TestClient(client.app, base_url="http://127.0.0.1", follow_redirects=False, raise_server_exceptions=False)


def fill(client: TestClient, colour: str) -> tuple[str, str]:
    """A start picture and a batch of one; the SHA-256 of the one and the id of the other."""
    sha = client.post("/api/uploads", files={"file": picture(colour)}).json()["sha256"]
    batch = client.post("/api/batches", json={"name": colour}).json()["batch"]["id"]
    sent = client.post(f"/api/batches/{batch}/files", files={"file": (f"{colour}.png", picture(colour))})
    assert sent.status_code == 201
    return sha, batch


def has(client: TestClient, *kept: tuple[str, str]) -> bool:
    """Whether rows and files are there, all of them."""
    paths = [f"/api/uploads/{sha}" for sha, _ in kept]
    for _, batch in kept:
        paths += [f"/api/batches/{batch}", f"/batches/{batch}/1/thumb", f"/batches/{batch}/1/picture"]
    answers = {client.get(path).status_code for path in paths}
    assert len(answers) == 1, "all or nothing"
    return answers == {200}


def code_of(client: TestClient) -> str:
    return client.post("/api/owner/code").json()["code"]


def take(client: TestClient, code: str, **more: object):
    return client.post("/api/owner/take", json={"code": code, **more})


def test_a_code_opens_the_gallery_in_another_browser_and_both_have_it(browser):
    one = browser()
    kept = fill(one, "red")
    made = one.post("/api/owner/code").json()
    assert made["url"] == f"http://127.0.0.1/owner#{made['code']}"
    two = another(one)
    answer = take(two, made["code"].lower().replace("-", " "))
    assert (answer.status_code, answer.json()["keeps"]["batches"], answer.json()["back"]) == (200, 1, None)
    assert has(one, kept)
    assert has(two, kept)


def test_a_code_works_once_and_only_the_last_one_and_not_for_long(browser, monkeypatch):
    one = browser()
    first, second = code_of(one), code_of(one)
    assert take(another(one), first).status_code == 404
    assert take(another(one), second).status_code == 200
    assert take(another(one), second).status_code == 404
    third, now = code_of(one), time.time()
    for days in (limits.CODE_SECONDS + 1, -limits.CODE_SECONDS - 1):
        monkeypatch.setattr(time, "time", lambda days=days: now + days)
        assert take(another(one), third).status_code == 404


def test_codes_survive_a_restart_and_are_not_in_the_database(tmp_path):
    store = Store(tmp_path / "triptych.db")
    code = Codes(store).make("me")
    assert code.replace("-", "") not in str([tuple(row) for row in store.rows("SELECT * FROM moving_codes")])
    store.close()
    store = Store(tmp_path / "triptych.db")
    assert Codes(store).take(code.replace("0", "O").replace("1", "l")) == "me"
    with pytest.raises(NotFound):
        Codes(store).take("\udc80")
    store.close()


def test_guessing_codes_is_slowed_down(browser):
    client = browser()
    seen = [take(client, f"AAAA-AAAA-{i:04}").status_code for i in range(limits.CODE_TRIES_AT_ONCE + 2)]
    assert seen == [404] * limits.CODE_TRIES_AT_ONCE + [429] * 2
    code = code_of(client)
    elsewhere = TestClient(client.app, base_url="http://127.0.0.1", client=("10.0.0.9", 1))
    assert take(elsewhere, code).status_code == 200, "a guesser keeps nobody at another address from it"


def test_what_the_other_browser_keeps_comes_along_when_it_says_so(browser):
    one = browser()
    two, three = another(one), another(one)
    mine, other = fill(one, "red"), fill(two, "blue")
    take(three, code_of(two))
    code = code_of(one)
    answer = take(two, code)
    assert answer.status_code == 409
    assert "comes along" in answer.json()["error"]["message"]
    assert take(two, code, bring=True).status_code == 200, "the question did not use up the code"
    assert has(one, mine, other)
    assert has(two, mine, other)
    assert has(three, mine, other), "another browser with the gallery that has moved has come along"
    folders = one.app.state.studio.settings.data_dir
    assert {len(list((folders / name).iterdir())) for name in ("uploads", "batches")} == {1}


def test_what_stays_behind_can_be_had_back(browser):
    one = browser()
    two = another(one)
    mine, other = fill(one, "red"), fill(two, "blue")
    back = take(two, code_of(one), bring=False).json()["back"]
    assert has(two, mine)
    assert not has(two, other)
    three = another(one)
    assert take(three, back).status_code == 200
    assert has(three, other)


def test_nothing_moves_while_it_is_worked_on(browser):
    one = browser()
    two = another(one)
    fill(two, "blue")
    two.post("/api/jobs", json=JOB)
    code = code_of(one)
    answer = take(two, code, bring=True)
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        409,
        "What this browser keeps is still being worked on: wait for its jobs and batches, or cancel them first.",
    )
    two.post("/api/jobs/cancel", json={})
    assert take(two, code, bring=True).status_code == 200


def test_ones_own_code_changes_nothing(browser):
    one = browser()
    kept = fill(one, "red")
    assert take(one, code_of(one), bring=True).status_code == 409
    assert has(one, kept)


def test_a_move_that_is_interrupted_leaves_each_file_where_its_row_is(browser, monkeypatch):
    one = browser()
    two = another(one)
    mine, other = fill(one, "red"), fill(two, "blue")
    code = code_of(one)

    def dies(*_: object) -> None:
        raise OSError("the power is gone")

    with monkeypatch.context() as at_the_rows:
        at_the_rows.setattr(transfer, "_move_rows", dies)
        assert take(two, code, bring=True).status_code == 500
    assert has(two, other)
    assert take(two, code_of(one), bring=True).status_code == 200
    assert has(two, mine, other)


# --- with logins ---


@pytest.fixture
def before(tmp_path, idle):
    """An open studio's gallery, and the browser that had it, now that people log in."""
    client = TestClient(create_api(idle()), base_url="http://127.0.0.1")
    kept = fill(client, "red")
    app = create_api(idle(auth="ann:x"))
    now = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
    now.cookies.update(dict(client.cookies))
    now.post("/login", data={"name": "ann", "password": "x"})
    return now, kept


def test_what_a_browser_kept_before_there_were_logins_becomes_the_users(before):
    client, kept = before
    assert not has(client, kept)
    assert client.get("/api/owner").json()["before"]["batches"] == 1
    assert client.post("/api/owner/claim").status_code == 200
    assert has(client, kept)
    assert client.get("/api/owner").json()["before"] is None
    assert client.post("/api/owner/claim").status_code == 409


def test_an_open_cookie_opens_nothing_of_the_user_that_took_its_gallery(before):
    client, _ = before
    client.post("/api/owner/claim")
    studio = client.app.state.studio
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    assert Sessions(studio.sessions._secret, None, studio.sessions.ends).read(cookies).owner != "ann"


def test_with_a_login_there_are_no_codes_for_galleries_of_users(before):
    client, _ = before
    answer = client.post("/api/owner/code")
    assert answer.status_code == 409
    assert "log in with your name" in answer.json()["error"]["message"]


def test_the_page_in_both_modes_and_languages(browser, before):
    client, _ = before
    page = client.get("/owner").text
    assert "Logged in as ann" in page
    assert "before there were logins" in page
    assert 'action="/logout?everywhere=true"' in page
    assert "Make it mine" in page
    assert "在所有设备上退出" in client.get("/owner", headers={"accept-language": "zh"}).text
    assert "这个浏览器没有" not in client.post("/owner/claim").text
    answer = client.post("/owner/claim", headers={"accept-language": "zh"})
    assert (answer.status_code, "这个浏览器没有启用登录之前的内容" in answer.text) == (409, True)


def test_the_page_shows_a_code_once_and_takes_it(browser):
    one = browser()
    fill(one, "red")
    page = one.post("/owner/code").text
    code = page.partition("<output>")[2].partition("</output>")[0]
    assert code.count("-") == 2
    assert code not in one.get("/owner").text
    two = another(one)
    fill(two, "blue")
    asked = two.post("/owner/take", data={"code": code})
    assert (asked.status_code, f'value="{code}"' in asked.text) == (409, True)
    done = two.post("/owner/take", data={"code": code, "bring": "yes"})
    assert (done.status_code, "2 batches" in done.text) == (200, True)
    evil = two.post("/owner/take", data={"code": '"><script>{{code}}', "bring": "yes"})
    assert evil.status_code == 404
    assert "<script>{{" not in evil.text


# --- the list ---


def test_the_list_of_owners_says_who_keeps_what(browser, capsys):
    client = browser()
    fill(client, "red")
    studio = client.app.state.studio
    folder = str(studio.settings.data_dir)
    owner = studio.store.rows("SELECT owner FROM batches")[0][0]
    assert owners.main(["--data-dir", folder]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["owner", "pictures", "recordings", "captions"]
    assert line.split()[:5] == [owner, "0", "0", "0", "1"]
    assert owners.main(["--data-dir", folder, "--code", owner[:6]]) == 0
    code = capsys.readouterr().out.splitlines()[0]
    assert take(another(client), code).json()["keeps"]["batches"] == 1


@pytest.mark.parametrize(
    ("argv", "said"), [(["--code", "nobody"], "no owners are called nobody"), ([], "no studio in")]
)
def test_what_the_list_cannot_do_is_one_sentence(tmp_path, capsys, argv, said):
    if argv:
        Store(tmp_path / "triptych.db").close()
    assert owners.main(["--data-dir", str(tmp_path), *argv]) == 1
    assert said in capsys.readouterr().err


def test_the_list_of_a_newer_studio_is_one_sentence(tmp_path, capsys):
    store = Store(tmp_path / "triptych.db")
    with store.transaction() as db:
        db.execute("PRAGMA user_version=99")
    store.close()
    assert owners.main(["--data-dir", str(tmp_path)]) == 1
    assert "a newer Triptych made this database" in capsys.readouterr().err


def test_last_seen_is_noted_of_those_who_keep_something(browser):
    client = browser()
    client.get("/api/jobs")
    fill(client, "red")
    owner = client.app.state.studio.store.rows("SELECT owner FROM batches")[0][0]
    after_an_hour = create_api(client.app.state.studio)
    TestClient(after_an_hour, base_url="http://127.0.0.1", cookies=dict(client.cookies)).get("/api/jobs")
    end = time.monotonic() + 60
    while not (rows := client.app.state.studio.store.rows("SELECT owner FROM owners WHERE seen > 0")):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert [row[0] for row in rows] == [owner]
    assert kept_by(client.app.state.studio.store, owner).last > 0
