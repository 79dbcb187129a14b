"""Cookies: the signature is the proof, whatever a clock says; and what has ended stays ended."""

from __future__ import annotations

import stat
import time

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from studio.build import CannotStart, build
from studio.settings import Settings
from studio.storage.store import Store
from studio.web.accounts.session_ends import MOST_ENDED, SessionEnds
from studio.web.accounts.sessions import Sessions, load_secret
from studio.web.accounts.users import Users
from studio.web.api import create_api

KEY = b"k" * 32
DAY = 24 * 3600
LIVE = "ws://127.0.0.1/live"
ANN = {"name": "ann", "password": "x"}


@pytest.fixture
def clock(monkeypatch):
    """clock(days): the clock of this machine goes wrong by so much."""
    now = time.time()
    return lambda days: monkeypatch.setattr(time, "time", lambda: now + days * DAY)


def jar(set_cookie: str) -> str:
    return set_cookie.partition(";")[0]


def another(client: TestClient) -> TestClient:
    """Another browser at the same studio."""
    return TestClient(client.app, base_url="http://127.0.0.1", follow_redirects=False, raise_server_exceptions=False)


def log_in(client: TestClient) -> TestClient:
    assert client.post("/login", data=ANN).status_code == 303
    return client


def who(sessions: Sessions, cookies: str) -> str | None:
    proof = sessions.read(cookies)
    return proof and proof.owner


def test_cookies_prove_their_owner_and_cannot_be_forged():
    sessions = Sessions(KEY)
    cookie = jar(sessions.cookie("me", False))
    assert (sessions.read(cookie).owner, sessions.read(cookie).due) == ("me", False)
    for forged in (cookie[:-2], cookie.replace("=", "=x", 1), "", "nonsense", f"{sessions.name}=WyJtZSIsbnVsbF0.x.y"):
        assert sessions.read(forged) is None
    assert Sessions(b"j" * 32).read(cookie) is None


@pytest.mark.parametrize(
    "around", ["other=1; {}; x=y", "bad[]=1; {}", 'a={{"b": [1]}}; {}', "=; ;;{}", "\xff=\xfe; {}", "{0}x; {0}"]
)
def test_odd_cookies_of_other_programs_on_this_host_take_nothing_away(around):
    sessions = Sessions(KEY)
    assert who(sessions, around.format(jar(sessions.cookie("me", False)))) == "me"


def test_two_studios_on_one_host_keep_their_cookies_apart():
    assert Sessions(KEY).name != Sessions(b"j" * 32).name


def test_cookie_flags():
    sessions = Sessions(KEY)
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(sessions.cookie("me", False).split("; "))
    assert "Secure" in sessions.cookie("me", True).split("; ")
    assert "Max-Age=0" in sessions.forget(False)


def test_secret_is_made_once_and_private(tmp_path):
    secret = load_secret(tmp_path)
    assert load_secret(tmp_path) == secret
    assert len(secret) == 32
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


@pytest.mark.parametrize("size", [0, 3, 31])
def test_a_secret_that_could_be_guessed_is_refused_with_what_to_do(tmp_path, size):
    (tmp_path / "secret").write_bytes(b"x" * size)
    with pytest.raises(CannotStart, match=f"has {size} bytes instead of 32.*put it back from a backup, or delete it"):
        build(Settings(data_dir=tmp_path))
    assert (tmp_path / "secret").read_bytes() == b"x" * size


# --- clocks ---


@pytest.mark.parametrize("days", [-20_000, -401, -399, -1, -1 / 24, 1 / 24, 1, 399, 401, 4000, 20_000])
def test_a_cookie_of_any_age_or_from_the_future_is_its_owners(clock, days):
    sessions = Sessions(KEY)
    clock(days)
    cookie = jar(sessions.cookie("me", False))
    clock(0)
    proof = sessions.read(cookie)
    assert proof.owner == "me"
    assert proof.due == (abs(days) > 30), "what is far from now is made anew, so that browsers keep it"


@pytest.mark.parametrize("days", [1 / 24, 399, 401, 4000, -4000])
def test_a_clock_that_was_wrong_for_one_visit_costs_nobody_a_picture(browser, clock, days):
    client = browser()
    answer = client.get("/api/jobs")
    headers = {"cookie": jar(answer.headers["set-cookie"])}  # by hand: the clock of the browser is right
    client.cookies.clear()
    mine = _kept(client, headers)
    for wrong in (days, 0, -days, 0):
        clock(wrong)
        client.cookies.clear()
        answer = client.get(f"/api/uploads/{mine}", headers=headers)
        assert answer.status_code == 200
        if "set-cookie" in answer.headers:
            headers = {"cookie": jar(answer.headers["set-cookie"])}


def test_switching_logins_on_and_off_costs_a_browser_nothing(tmp_path):
    before, with_login = Sessions(KEY), Sessions(KEY, Users({"ann": "x"}))
    mine = jar(before.cookie("me", False))
    both = f"{mine}; {jar(with_login.cookie('ann', False))}"
    assert who(with_login, mine) is None
    assert (who(with_login, both), who(before, both)) == ("ann", "me")


def test_a_login_lasts_while_it_is_used_and_ends_a_month_after(clock):
    sessions = Sessions(KEY, Users({"ann": "x"}))
    cookie = jar(sessions.cookie("ann", False))
    for _ in range(3):
        clock(2)
        proof = sessions.read(cookie)
        assert proof.due
    clock(29)
    renewed = jar(sessions.cookie("ann", False, proof.session))
    clock(31)
    assert sessions.read(cookie) is None
    assert sessions.read(renewed).session == proof.session
    clock(-4000)
    assert who(sessions, renewed) == "ann", "a clock before its first setting asks nobody to log in again"


# --- ends ---


def test_a_changed_password_or_a_new_login_ends_older_cookies():
    before = Sessions(KEY, Users({"ann": "old"}))
    cookie = jar(before.cookie("ann", False))
    assert who(before, cookie) == "ann"
    assert Sessions(KEY, Users({"ann": "new"})).read(cookie) is None
    assert Sessions(KEY, Users({"bob": "old"})).read(cookie) is None
    assert Sessions(KEY).read(cookie) is None
    assert before.read(jar(Sessions(KEY).cookie("ann", False))) is None


def test_a_login_of_a_former_version_goes_on_under_its_new_name():
    sessions = Sessions(KEY, Users({"ann": "x"}))
    old = f"{sessions.open_name}={sessions._dumps('ann', sessions._stamp('ann'))}"
    proof = sessions.read(old)
    assert (proof.owner, proof.due) == ("ann", True)
    sessions.ends.end(proof.owner, proof.session)
    assert sessions.read(old) is None


def test_logging_out_ends_the_session_on_the_server_and_no_other(browser):
    client = log_in(browser(auth="ann:x"))
    other = log_in(another(client))
    stolen = dict(client.cookies)
    client.post("/logout")
    thief = another(client)
    thief.cookies.update(stolen)
    assert thief.get("/api/jobs").status_code == 401
    assert other.get("/api/jobs").status_code == 200
    assert other.post("/logout?everywhere=true").status_code == 303
    assert log_in(other).get("/api/jobs").status_code == 200


def test_logging_out_everywhere_ends_all_of_one_and_none_of_another(browser, tmp_path):
    (tmp_path / "people").write_text("ann:x\nbob:y\n")
    client = log_in(browser(users=tmp_path / "people"))
    phone, bob = log_in(another(client)), another(client)
    bob.post("/login", data={"name": "bob", "password": "y"})
    client.post("/logout?everywhere=true")
    assert [one.get("/api/jobs").status_code for one in (client, phone, bob)] == [401, 401, 200]


def test_nobody_logs_another_out(browser):
    client = log_in(browser(auth="ann:x"))
    stranger = another(client)
    stranger.post("/logout?everywhere=true")
    assert client.get("/api/jobs").status_code == 200


@pytest.mark.parametrize("everywhere", [False, True])
def test_what_has_ended_stays_ended_after_a_restart_whatever_the_clock(tmp_path, clock, everywhere):
    users = Users({"ann": "x"})
    store = Store(tmp_path / "triptych.db")
    sessions = Sessions(KEY, users, SessionEnds(store))
    cookie = jar(sessions.cookie("ann", False))
    ends = sessions.ends
    ends.end_all("ann") if everywhere else ends.end("ann", sessions.read(cookie).session)
    store.close()
    for days in (0, 399, 0, -399, 29):
        clock(days)
        store = Store(tmp_path / "triptych.db")
        sessions = Sessions(KEY, users, SessionEnds(store))
        assert sessions.read(cookie) is None
        assert who(sessions, jar(sessions.cookie("ann", False))) == "ann"
        store.close()


def test_the_list_of_ended_sessions_does_not_grow_without_end(tmp_path):
    store = Store(tmp_path / "triptych.db")
    sessions = Sessions(KEY, Users({"ann": "x"}), SessionEnds(store))
    cookies = [jar(sessions.cookie("ann", False)) for _ in range(3)]
    with store.transaction() as db:
        db.executemany("INSERT INTO ended_sessions VALUES (?, 'ann')", [(str(i),) for i in range(MOST_ENDED)])
    sessions.ends.reload()
    sessions.ends.end("ann", sessions.read(cookies[0]).session)
    assert [sessions.read(cookie) for cookie in cookies] == [None] * 3, "all end rather than one coming back"
    assert store.rows("SELECT count(*) FROM ended_sessions")[0][0] == 0
    store.close()


def test_the_live_connection_ends_with_its_session(idle):
    app = create_api(idle(auth="ann:x"))
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        log_in(client)
        other = log_in(another(client))
        with other.websocket_connect(LIVE) as stays, client.websocket_connect(LIVE) as live:
            live.receive_json()
            client.post("/logout")
            assert ended_with(live) == 4401
            assert stays.receive_json()["type"] == "status"
            other.post("/logout")
            assert ended_with(stays) == 4401


def ended_with(live: WebSocketTestSession) -> int:
    try:
        while True:
            live.receive_json()
    except WebSocketDisconnect as ended:
        return ended.code


def _kept(client: TestClient, headers: dict) -> str:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "PNG")
    return client.post("/api/uploads", files={"file": out.getvalue()}, headers=headers).json()["sha256"]
