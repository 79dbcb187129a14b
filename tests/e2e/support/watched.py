"""A visit that is watched: no error on the console, no foreign host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.support.serving import Served

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}


@contextmanager
def visiting(browser: Browser, studio: Served, phone: bool = False, locale: str = "en-US") -> Iterator[Page]:
    """A page of a browser of its own; what it has said of errors fails the test at the end."""
    seen: list[str] = []
    size = PHONE if phone else DESKTOP
    context = browser.new_context(locale=locale, base_url=studio.url, reduced_motion="reduce", **size)
    page = context.new_page()
    page.set_default_timeout(60_000)
    _watch(page, urlsplit(studio.url).netloc, seen)
    yield page
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
