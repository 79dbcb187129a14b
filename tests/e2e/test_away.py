"""The studio is away for a while, as when it is started anew: the page says so, and goes on by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from studio.settings import Settings
from tests.e2e.support.visitor import SLOW, Visitor
from tests.support.serving import served

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
WORKER = {"shelf": "tests.studio.support.fake_pipelines:open_model_pool", "threads": 1}


def test_generate_works_again_once_the_studio_is_back(browser: Browser, tmp_path: Path) -> None:
    """Pressed while it is away, the button says what is wrong; nothing else is asked of the person than to press it."""
    settings, worker = Settings(data_dir=tmp_path), {**WORKER, "folder": str(tmp_path)}
    with served(settings, worker) as running:
        address = running.url
        page = browser.new_context(locale="en-US", base_url=address).new_page()
        me = Visitor(page).open()
        me.prompt.fill("a lighthouse")
    me.generate.click()
    expect(me.error("form")).to_have_text("The studio did not answer; is it still running?", timeout=SLOW)
    with served(settings, worker, port=int(address.rpartition(":")[2])):
        expect(page.locator(".pill:not([data-state=off])")).to_be_visible(timeout=SLOW)
        me.generate.click()
        expect(me.error("form")).to_have_count(0, timeout=SLOW)
        expect(me.tile("a lighthouse")).to_be_visible(timeout=SLOW)
        assert page.locator(".toast-wrap .toast-body").count() == 0
        page.context.close()
