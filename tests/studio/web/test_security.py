"""Requests that no page of ours has sent, bodies without an end, and what answers tell a browser."""

from __future__ import annotations

import pytest
from starlette.websockets import WebSocketDisconnect

from studio import limits

EVIL = "http://evil.example"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1"},
    ],
)
def test_pages_of_other_sites_cannot_act(browser, headers):
    client = browser()
    for method, path in (("POST", "/api/jobs"), ("DELETE", "/api/gallery/x"), ("POST", "/login"), ("POST", "/gradio")):
        answer = client.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "other_site")
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect("ws://127.0.0.1/live", headers=headers),
    ):
        pass
    assert refused.value.code == 4403


@pytest.mark.parametrize(
    "headers",
    [
        {},  # a program
        {"origin": "http://127.0.0.1"},
        {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"},
        {"origin": "https://studio.example", "sec-fetch-site": "cross-site"},
    ],
)
def test_our_own_pages_programs_and_named_origins_can(browser, headers):
    client = browser(origins=("https://studio.example/",))
    assert client.post("/api/jobs/order", json={"ids": []}, headers=headers).status_code == 200


def test_a_name_that_somebody_else_points_at_this_machine_is_not_answered(browser):
    client = browser(origins=("https://studio.example",))
    assert client.get("/api/jobs", headers={"host": "evil.example"}).status_code == 403
    for host in ("localhost:7860", "127.0.0.1", "[::1]:7860", "studio.example"):
        assert client.get("/api/jobs", headers={"host": host}).status_code == 200, host


ODD = [
    "[",
    "[evil]",
    "evil@127.0.0.1",
    "127.0.0.1:x",
    "127.0.0.1/",
    "127.0.0.1:99999999",
    "a b",
    "\xe9",
    "[::1",
    "#",
    "%",
]


@pytest.mark.parametrize("host", ODD)
def test_names_that_are_none_are_refused_wherever_it_listens(browser, host):
    for options in ({}, {"host": "0.0.0.0", "auth": "a:b"}):
        client = browser(**options)
        for path in ("/health", "/api/jobs", "/"):
            refused = [
                client.get(path, headers={"host": host.encode("latin-1")}),
                client.post(path, headers={"origin": f"http://{host}".encode("latin-1")}),
                client.get(path, headers={"x-forwarded-host": f"good.example, {host}".encode("latin-1")}),
            ]
            assert [answer.status_code for answer in refused] == [403] * 3
        with pytest.raises(WebSocketDisconnect) as closed:
            with client.websocket_connect("ws://127.0.0.1/live", headers={"host": host.encode("latin-1")}):
                pass
        assert closed.value.code == 4403


@pytest.mark.parametrize("path", ["/api/voices/sample?model=x", "/api/search?text=x", "/api/jobs"])
def test_pages_of_other_sites_cannot_make_the_device_work_by_looking(browser, path):
    for site in ("cross-site", "same-site"):
        assert browser().get(path, headers={"sec-fetch-site": site}).status_code == 403
    assert browser().get(path, headers={"sec-fetch-site": "same-origin"}).status_code != 403


def test_a_link_from_another_site_opens_the_page_and_a_file(browser):
    for path in ("/files/x", "/login", "/health"):
        assert browser().get(path, headers={"sec-fetch-site": "cross-site"}).status_code != 403


def test_beyond_this_machine_any_name_is_answered(browser):
    client = browser(host="0.0.0.0", auth="a:b")
    assert client.get("/health", headers={"host": "anything.example"}).status_code == 200


def test_stated_lengths_are_refused_unread(browser):
    client = browser()
    answer = client.post("/api/jobs", content=b"x" * (limits.BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_long")


@pytest.mark.parametrize("path", ["/api/jobs", "/api/uploads"])
def test_bodies_without_a_stated_length_are_cut_off(browser, path):
    def long():
        for _ in range(100):
            yield b"x" * limits.MIB

    answer = browser().post(path, content=long(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_long")


def test_a_picture_may_be_longer_than_other_bodies(browser):
    data = b"\x89PNG" + bytes(limits.UPLOAD_BYTES - 4)
    assert browser().post("/api/uploads", files={"file": data}).status_code == 422
    answer = browser().post("/api/uploads", files={"file": data + bytes(limits.MIB)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_long")


def test_answers_forbid_what_the_page_does_not_need(browser):
    headers = browser().get("/api/jobs").headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
