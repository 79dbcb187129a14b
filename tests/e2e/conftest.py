"""A real browser in front of a running studio. Every visitor is watched: no error on the console, no foreign host."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.e2e.visitor import Visitor
from tests.serving import Served

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
         "--no-first-run"]  # fmt: skip
PATIENCE = 45_000  # milliseconds in which what is expected has to come; 5,000 are too few beside another load
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Of one file: the driver keeps an event loop running in this thread, and other tests want one of their own."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, studio: Served) -> Iterator[Callable[..., Visitor]]:
    """visit(locale="zh-CN", phone=True) -> a Visitor: a person with a browser of their own."""
    contexts, seen = [], []

    def come(locale: str = "en-US", phone: bool = False) -> Visitor:
        size = PHONE if phone else {"viewport": {"width": 1280, "height": 800}}
        context = browser.new_context(locale=locale, base_url=studio.url, reduced_motion="reduce", **size)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        _watch(page, urlsplit(studio.url).netloc, seen)
        return Visitor(page)

    yield come
    for context in contexts:
        context.close()
    assert not seen, "\n".join(seen)


def _watch(page: Page, home: str, seen: list[str]) -> None:
    page.on("console", lambda said: _is_error(said) and seen.append(f"console: {said.text}"))
    page.on("pageerror", lambda error: seen.append(f"script: {error}"))
    page.on("request", lambda request: _foreign(request.url, home) and seen.append(f"request: {request.url}"))


def _is_error(said: ConsoleMessage) -> bool:
    """A refusal that is meant (422) is noted by the browser itself; it is no fault of the page."""
    return said.type == "error" and "status of 422" not in said.text


def _foreign(url: str, home: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != home


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A small PNG."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((96, 64)).convert("RGB").save(file, "PNG")
    return file.getvalue()
