"""Owners and logins: a cookie proves who asks, and nothing else does."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import pytest
from starlette.requests import Request
from starlette.websockets import WebSocketDisconnect

from studio.web.accounts import users
from studio.web.accounts.auth import KEY, NotLoggedIn, owner_of

HTML = {"accept": "text/html"}
RIGHT = {"name": "ann", "password": "secret: 密"}


def test_owner_is_read_from_requests_of_both_kinds():
    request = Request({"type": "http", KEY: "me"})
    assert owner_of(request) == "me"
    assert owner_of(SimpleNamespace(request=request)) == "me"  # as gradio wraps it
    with pytest.raises(NotLoggedIn):
        owner_of(Request({"type": "http"}))


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


def test_a_mark_before_the_first_name_is_not_part_of_it(tmp_path):
    (tmp_path / "users").write_text("ann:x\n", "utf-8-sig")
    assert users.load(None, tmp_path / "users").accepts("ann", "x")


@pytest.mark.parametrize("name", ["plain", "hashed", "nobody", "\udc80"])
@pytest.mark.parametrize("password", ["right", "wrong", "", "\udc80"])
def test_every_try_costs_one_hash_whoever_is_meant(monkeypatch, name, password):
    known = users.Users({"plain": "right", "hashed": users.hashed("right")})
    hashes = []
    scrypt = hashlib.scrypt
    monkeypatch.setattr(hashlib, "scrypt", lambda *given, **more: hashes.append(1) or scrypt(*given, **more))
    assert known.accepts(name, password) == (name in ("plain", "hashed") and password == "right")
    assert hashes == [1]


def test_a_thousand_plain_passwords_cost_nothing_at_the_start(monkeypatch, tmp_path):
    (tmp_path / "users").write_text("".join(f"user{i}:plain{i}\n" for i in range(1000)))
    hashes = []
    monkeypatch.setattr(hashlib, "scrypt", lambda *given, **more: hashes.append(1) or b"0" * 64)
    assert users.load(None, tmp_path / "users").kept("user999") == "plain999"
    assert len(hashes) <= 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"ann\n", "user 1"),
        (b"a:b\n:x\n", "user 2"),
        (b"# none\n", "empty"),
        (b"a:scrypt$zz$00\n", "user 1 in the file of users is damaged"),
        (b"a:scrypt$00$abc\n", "damaged"),
        (b"a:\xff\xfe\n", "not UTF-8"),
    ],
)
def test_files_of_users_that_cannot_be_read(tmp_path, data, said):
    file = tmp_path / "users"
    file.write_bytes(data)
    with pytest.raises(ValueError, match=said):
        users.load(None, file)


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


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"name=ann&password=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a%d=b" % i for i in range(50)), "application/x-www-form-urlencoded", 400),
        (b'{"name": "ann"}', "application/json", 415),
        (b"--B\r\n\r\n", "multipart/form-data; boundary=B; charset=punycode", 415),
        (b"name=%ff&password=%00", "application/x-www-form-urlencoded", 401),
    ],
)
def test_a_login_is_a_short_form(browser, body, kind, status):
    answer = browser(auth="ann:x").post("/login", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert "Traceback" not in answer.text


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
