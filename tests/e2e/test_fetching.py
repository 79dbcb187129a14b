"""Who waits for a model that is being downloaded sees how far it is, and may stop waiting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from studio.settings import Settings
from tests.e2e.support.visitor import SLOW, Visitor
from tests.e2e.support.watched import visiting
from tests.studio.support.fake_downloads import log_of
from tests.support.serving import Served, served

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Served]:
    """A studio whose models "far/…" come when a file in `tmp_path` says so."""
    worker = {"shelf": "tests.studio.support.fake_downloads:open_model_pool", "folder": str(tmp_path)}
    with served(Settings(data_dir=tmp_path / "data"), worker) as running:
        yield running


def test_the_page_says_how_far_the_model_is_and_then_makes_the_picture(browser: Browser, far: Served, tmp_path: Path):
    with visiting(browser, far) as page, visiting(browser, far, locale="zh-CN") as other:
        me, them = Visitor(page).open(), Visitor(other).open()
        asked = {"prompt": "a far cat", "model": "far/a", "steps": 2, "width": 64, "height": 64}
        assert page.request.post("/api/jobs", data=asked).status == 201
        tile = me.tile("a far cat")
        expect(tile.locator(".progress-text")).to_have_text("Downloading far/a · 0 %")
        me.status(tile, "waiting")
        (tmp_path / "a.part").write_text("0.37")
        expect(tile.locator(".progress-text")).to_have_text("Downloading far/a · 37 %")
        assert other.request.post("/api/jobs", data=asked | {"prompt": "a near cat", "model": "sprite"}).status == 201
        them.status(them.tile("a near cat"), "done")
        me.tab("queue")
        expect(page.locator("#panel-queue .job .progress-text")).to_have_text("Downloading far/a · 37 %")
        (tmp_path / "a.come").touch()
        me.tab("image")
        me.status(tile, "done")


def test_who_stops_waiting_stops_the_download(browser: Browser, far: Served, tmp_path: Path):
    with visiting(browser, far, locale="zh-CN") as page:
        me = Visitor(page).open()
        assert page.request.post("/api/jobs", data={"prompt": "a far cat", "model": "far/a"}).status == 201
        tile = me.tile("a far cat")
        expect(tile.locator(".progress-text")).to_have_text("正在下载 far/a · 0 %")
        tile.locator(".corner").click()
        me.status(tile, "cancelled")
        for _ in range(SLOW // 50):
            if "ended" in (said := log_of(tmp_path, "a")):
                break
            page.wait_for_timeout(50)
        assert said == ["begun", "ended"]
