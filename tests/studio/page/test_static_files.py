"""The page's own files: how they are served, what the HTML begins with, and contrast in light and dark."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.responses import HTMLResponse

from studio.page import static_files
from studio.page.shell import Shell, rewrite

VARIABLES = (static_files.FOLDERS["theme"] / "variables.css").read_text("utf-8")


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    static_files.mount(app, "/studio/abc")
    app.add_api_route("/", lambda: HTMLResponse("<html><head><meta property=\"og:title\" content='x' /></head></html>"))
    app.add_middleware(Shell, base="/studio/abc", tabs=["image", "queue"])
    return TestClient(app)


@pytest.mark.parametrize(("path", "kind"), [("js/main.js", "text/javascript; charset=utf-8"),
                                            ("js/i18n/words.json", "application/json; charset=utf-8"),
                                            ("theme/variables.css", "text/css; charset=utf-8")])  # fmt: skip
def test_own_files_have_their_types_and_are_kept_for_ever(client: TestClient, path: str, kind: str) -> None:
    answer = client.get(f"/studio/abc/{path}")
    assert answer.headers["content-type"] == kind
    assert "immutable" in answer.headers["cache-control"]


def test_only_the_page_folders_are_served(client: TestClient) -> None:
    assert client.get("/studio/abc/js/../page.py").status_code == 404
    assert client.get("/studio/abc/js/%2e%2e/page.py").status_code == 404


def test_the_path_changes_with_the_files() -> None:
    assert re.fullmatch("/studio/[0-9a-f]{12}", static_files.base())
    assert static_files.base() == static_files.base()


def test_the_html_begins_with_our_head(client: TestClient) -> None:
    answer = client.get("/", headers={"accept-encoding": "gzip"})
    assert answer.text.startswith("<html><head><title>Triptych</title><script>")
    assert "og:title" not in answer.text
    assert ':root[data-tab="queue"] #panel-queue' in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_html_without_a_head_is_left_alone() -> None:
    assert rewrite(b"<p>hello</p>", b"<title>x</title>") == b"<p>hello</p>"


def _colours(theme: str) -> dict[str, str]:
    light, dark = re.search(r":root \{(.*?)\}.*?dark\"\] \{(.*?)\}", VARIABLES, re.S).groups()
    found = dict(re.findall(r"--t-([\w-]+): (#[0-9a-f]{6});", light))
    return found | (dict(re.findall(r"--t-([\w-]+): (#[0-9a-f]{6});", dark)) if theme == "dark" else {})


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [(ink, ground) for ink in ("text", "muted", "accent-text", "bad") for ground in ("bg", "surface", "hover")]
    + [("accent-text", "accent-soft"), ("on-button", "button"), ("on-button", "button-hover"), ("bg", "text")],
)
def test_text_stands_out_from_its_ground(theme: str, ink: str, ground: str) -> None:
    colours = _colours(theme)
    dark, light = sorted((_luminance(colours[ink]), _luminance(colours[ground])))
    assert (light + 0.05) / (dark + 0.05) >= 4.5, (theme, ink, ground)
