"""A studio that asks for a name, and one whose machine does not start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from studio.settings import Settings
from tests.e2e.support.visitor import SLOW, Visitor
from tests.support.serving import Served, served

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def closed(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio behind a login, on a device that no machine has."""
    data = tmp_path_factory.mktemp("closed")
    settings = Settings(data_dir=data, models_dir=tiny_models, device="cuda:63", auth="ada:lovelace")
    with served(settings, {"threads": 1}) as running:
        yield running


@pytest.fixture
def page(browser: Browser, closed: Served) -> Iterator[Page]:
    context = browser.new_context(locale="en-US", base_url=closed.url)
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def _log_in(page: Page, password: str) -> None:
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_one_logs_in_and_out(page: Page) -> None:
    page.goto("/")
    _log_in(page, "byron")
    expect(page.get_by_text("Name and password do not belong together.")).to_be_visible()
    _log_in(page, "lovelace")
    expect(page.locator("#generate")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.goto("/")
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.request.get("/api/gallery").status == 401


def test_why_the_machine_does_not_start_is_on_the_page(page: Page) -> None:
    page.goto("/")
    _log_in(page, "lovelace")
    said = page.get_by_role("alert").filter(has_text="The device 'cuda:63' cannot be opened")
    expect(said).to_be_visible(timeout=SLOW)
    expect(page.locator(".pill")).to_have_text("Not working")
    me = Visitor(page)
    expect(page.locator("html[data-form-image=ready]")).to_be_attached(timeout=SLOW)
    tile = me.ask("nobody will paint this")
    expect(tile).to_contain_text("Waiting: the machine does not start")
    page.locator("#tab-queue").click()
    expect(said).to_be_visible()
