"""Every address there is, as a stranger and as an owner: of Gradio's own, only what the page needs is open."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.testclient import TestClient

from studio.page.gradio_routes import GradioRoutes
from studio.server import create_app

OPEN = {"/", "/theme.css", "/assets/x", "/static/x"}
FREE = {"/login", "/logout", "/health"}  # before anybody has logged in
NAMED = ("/monitoring", "/monitoring/summary", "/gradio_api/vibe-code", "/gradio_api/vibe-edit/", "/gradio_api/info",
         "/gradio_api/openapi.json", "/config", "/config/", "/gradio_api/upload", "/gradio_api/upload_progress",
         "/gradio_api/file=/etc/hostname", "/gradio_api/queue/join", "/gradio_api/queue/data",
         "/gradio_api/call/submit", "/gradio_api/run/submit", "/gradio_api/proxy=http://127.0.0.1:1",
         "/gradio_api/stream/x", "/gradio_api/deep_link", "/gradio_api/startup-events", "/docs", "/openapi.json",
         "/manifest.json", "/robots.txt", "/gradio_api/heartbeat/x", "/gradio_api/cancel", "/gradio_api/run/predict",
         "/gradio_api/run/predict/",
         "/nothing")  # fmt: skip


def addresses(routes: list) -> Iterator[tuple[str, str]]:
    """(method, path) of every route, with something in the place of what varies."""
    for route in routes:
        if included := getattr(route, "original_router", None):  # FastAPI keeps routers whole
            yield from addresses(included.routes)
        path = re.sub(r"\{[^}]*\}", "x", getattr(route, "path", ""))
        for method in getattr(route, "methods", None) or ():
            yield method, path


def gradio_of(app: FastAPI) -> Mount:
    [mounted] = [route for route in app.routes if isinstance(route, Mount) and isinstance(route.app, GradioRoutes)]
    return mounted


def visitor(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False, raise_server_exceptions=False)


def test_of_gradio_only_what_the_page_needs_is_open_even_to_an_owner(idle):
    app = create_app(idle())
    client, seen = visitor(app), list(addresses(gradio_of(app).routes))
    assert client.get("/").status_code == 200  # and from here on an owner
    assert len(seen) > 40
    seen += [(method, path) for path in NAMED for method in ("GET", "POST", "HEAD")]
    for method, path in seen:
        answer = client.request(method, path)
        if path in OPEN | FREE:  # ours stand before Gradio's login
            continue
        assert answer.status_code == 404, (method, path)
        assert method == "HEAD" or answer.json()["error"]["code"] == "not_found", (method, path)
    assert client.get("/theme.css").headers["content-type"].startswith("text/css")
    for method, path in (("POST", "/"), ("POST", "/theme.css"), ("POST", "/assets/x"), ("POST", "/static/x")):
        assert client.request(method, path).status_code in (404, 405), (method, path)


def test_a_stranger_finds_nothing_before_the_login(idle):
    app = create_app(idle(auth="ann:a-long-password"))
    client = visitor(app)
    seen = [*addresses(app.routes), *addresses(gradio_of(app).routes)]
    for method, path in seen:
        answer = client.request(method, path)
        if path in FREE:
            continue
        assert answer.status_code == 401, (method, path)
        assert "set-cookie" not in answer.headers, (method, path)
    for path in NAMED:
        assert client.post(path).status_code == client.get(path).status_code == 401, path


@pytest.mark.parametrize("name", ["submit", "predict", "x"])
def test_without_a_page_of_its_own_nobody_can_call_by_name(idle, name):
    client = visitor(create_app(idle()))
    assert client.post(f"/gradio_api/call/{name}", json={"data": []}).status_code == 404
