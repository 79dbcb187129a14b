"""A real browser in front of a running studio. Every visitor is watched: no error on the console, no foreign host."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.support.visitor import Visitor
from tests.e2e.support.watched import visiting
from tests.support.serving import Served

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
         "--no-first-run"]  # fmt: skip
PATIENCE = 45_000  # milliseconds in which what is expected has to come; 5,000 are too few beside another load


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
    with ExitStack() as visits:
        yield lambda **who: Visitor(visits.enter_context(visiting(browser, studio, **who)))


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A small PNG."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((96, 64)).convert("RGB").save(file, "PNG")
    return file.getvalue()
