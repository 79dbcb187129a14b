"""Owners and logins: a cookie proves who asks, and nothing else does."""

from __future__ import annotations

import asyncio
import stat
import threading
from collections import Counter
from types import SimpleNamespace

import httpx
import pytest
from starlette.requests import Request
from starlette.websockets import WebSocketDisconnect

from studio import limits, users
from studio.auth import KEY, NotLoggedIn, Sessions, load_secret, owner_of
from studio.users import Guard, Users
from studio.web import create_api

HTML = {"accept": "text/html"}
RIGHT = {"name": "ann", "password": "secret: 密"}


def jar(set_cookie: str) -> str:
    return set_cookie.partition(";")[0]


def test_owner_is_read_from_requests_of_both_kinds():
    request = Request({"type": "http", KEY: "me"})
    assert owner_of(request) == "me"
    assert owner_of(SimpleNamespace(request=request)) == "me"  # as gradio wraps it
    with pytest.raises(NotLoggedIn):
        owner_of(Request({"type": "http"}))


def test_cookies_prove_their_owner_and_cannot_be_forged():
    sessions = Sessions(b"k" * 32)
    cookie = jar(sessions.cookie("me", False))
    assert sessions.read(cookie) == ("me", False)
    assert sessions.read(f"other=1; {cookie}; x=y") == ("me", False)
    for forged in (cookie[:-2], cookie.replace("=", "=x", 1), "", "nonsense", f"{sessions.name}=WyJtZSIsbnVsbF0.x.y"):
        assert sessions.read(forged) == (None, True)
    assert Sessions(b"j" * 32).read(cookie) == (None, True)


def test_two_studios_on_one_host_keep_their_cookies_apart():
    assert Sessions(b"k" * 32).name != Sessions(b"j" * 32).name


def test_cookie_flags():
    sessions = Sessions(b"k" * 32)
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(sessions.cookie("me", False).split("; "))
    assert "Secure" in sessions.cookie("me", True).split("; ")
    assert "Max-Age=0" in sessions.forget(False)


def test_a_changed_password_or_a_new_login_ends_older_cookies():
    key = b"k" * 32
    before = Sessions(key, Users({"ann": "old"}))
    cookie = jar(before.cookie("ann", False))
    assert before.read(cookie)[0] == "ann"
    assert Sessions(key, Users({"ann": "new"})).read(cookie)[0] is None
    assert Sessions(key, Users({"bob": "old"})).read(cookie)[0] is None
    assert Sessions(key).read(cookie)[0] is None
    anonymous = jar(Sessions(key).cookie("ann", False))
    assert before.read(anonymous)[0] is None


def test_secret_is_made_once_and_private(tmp_path):
    secret = load_secret(tmp_path)
    assert load_secret(tmp_path) == secret
    assert len(secret) == 32
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_passwords_plain_and_hashed(tmp_path):
    file = tmp_path / "users"
    file.write_text(f"# people\nann:{users.hashed('secret: 密')}\n\nbob:plain:with:colons\n", "utf-8")
    known = users.load("eve:x", file)
    assert known.accepts("ann", "secret: 密")
    assert known.accepts("bob", "plain:with:colons")
    assert known.accepts("eve", "x")
    for name, password in (("ann", "secret"), ("bob", ""), ("nobody", "x"), ("", "")):
        assert not known.accepts(name, password)
    assert "secret" not in file.read_text("utf-8")


@pytest.mark.parametrize(("text", "said"), [("ann\n", "user 1"), ("a:b\n:x\n", "user 2"), ("# none\n", "empty")])
def test_files_of_users_that_cannot_be_read(tmp_path, text, said):
    file = tmp_path / "users"
    file.write_text(text)
    with pytest.raises(ValueError, match=said):
        users.load(None, file)


def test_guard_makes_an_address_wait():
    now = [0.0]
    guard = Guard(lambda: now[0])
    for _ in range(limits.LOGIN_TRIES):
        assert guard.wait("a") == 0
        guard.failed("a")
        now[0] += 1
    assert 0 < guard.wait("a") <= limits.LOGIN_WAIT_SECONDS
    assert guard.wait("b") == 0
    now[0] += limits.LOGIN_WAIT_SECONDS
    assert guard.wait("a") == 0


# --- over HTTP ---


def test_without_a_login_the_first_answer_makes_an_owner(browser):
    client = browser()
    cookie = client.get("/api/jobs").headers["set-cookie"]
    assert "set-cookie" not in client.get("/api/jobs").headers
    assert cookie.startswith("triptych_")
    assert client.get("/login").headers["location"] == "/"


def test_with_a_login_everything_else_is_shut(browser):
    client = browser(auth="ann:secret: 密")
    answer = client.get("/api/jobs")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "login")
    assert "set-cookie" not in answer.headers
    for path in ("/", "/files/x", "/anything", "/login/more"):
        answer = client.get(path, headers=HTML)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path
    assert client.post("/api/jobs", json={}).status_code == 401
    assert client.get("/health").json()["ok"]
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("ws://127.0.0.1/live"):
        pass
    assert refused.value.code == 4401


def test_logging_in_and_out(browser):
    client = browser(auth="ann:secret: 密")
    page = client.get("/login", headers={"accept-language": "en"})
    assert 'name="password"' in page.text
    assert "登录" in client.get("/login", headers={"accept-language": "zh-CN,zh;q=0.9"}).text
    wrong = client.post("/login", data={**RIGHT, "password": "no<script>"})
    assert wrong.status_code == 401
    assert "do not belong together" in wrong.text
    assert client.get("/api/jobs").status_code == 401
    right = client.post("/login", data=RIGHT)
    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert client.get("/api/jobs").status_code == 200
    assert client.post("/logout").headers["location"] == "/login"
    assert client.get("/api/jobs").status_code == 401


def test_guessing_is_slowed_down(browser):
    client = browser(auth="ann:secret: 密")
    for _ in range(limits.LOGIN_TRIES):
        assert client.post("/login", data={"name": "ann", "password": "x"}).status_code == 401
    answer = client.post("/login", data=RIGHT)
    assert answer.status_code == 429
    assert "Wait" in answer.text


def test_many_guesses_at_once_are_as_many_as_one_after_the_other(idle):
    app, guesses = create_api(idle(auth="ann:secret: 密")), 4 * limits.LOGIN_TRIES
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    seen, all_seen, compared = iter(range(1, guesses)), threading.Event(), []

    def saw():
        """Each of them is refused, or waits for the comparison, before any is known to be wrong."""
        if next(seen, None) is None:
            all_seen.set()

    def accepts(name, password):
        compared.append(password)
        saw()
        assert all_seen.wait(60)
        return False

    app.state.studio.sessions.users = SimpleNamespace(accepts=accepts)

    async def guess(client, begun):
        async def body():
            await begun.wait()
            yield b"name=ann&password=x"

        answer = await client.post("/login", content=body(), headers=form)
        saw()
        return answer.status_code

    async def main():
        transport, begun = httpx.ASGITransport(app), asyncio.Barrier(guesses)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return Counter(await asyncio.gather(*(guess(client, begun) for _ in range(guesses))))

    assert asyncio.run(main()) == {401: limits.LOGIN_TRIES, 429: guesses - limits.LOGIN_TRIES}
    assert len(compared) == limits.LOGIN_TRIES


def test_who_knows_the_password_may_come_as_often_as_they_like(browser):
    client = browser(auth="ann:secret: 密")
    for _ in range(limits.LOGIN_TRIES - 1):
        assert client.post("/login", data={**RIGHT, "password": "x"}).status_code == 401
    for _ in range(2 * limits.LOGIN_TRIES):
        assert client.post("/login", data=RIGHT).status_code == 303
    assert client.post("/login", data={**RIGHT, "password": "x"}).status_code == 401
    assert client.post("/login", data=RIGHT).status_code == 429  # a right one does not wash the wrong ones away


def test_a_user_is_the_same_owner_everywhere(browser):
    one = browser(auth="ann:x")
    two = type(one)(one.app, base_url="http://127.0.0.1", follow_redirects=False)
    for client in (one, two):
        client.post("/login", data={"name": "ann", "password": "x"})
    seen = [client.post("/api/uploads", files={"file": _png()}).json()["sha256"] for client in (one, two)]
    assert seen[0] == seen[1]
    folder = one.app.state.studio.settings.data_dir / "uploads"
    assert len(list(folder.iterdir())) == 1


def _png() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "PNG")
    return out.getvalue()
