"""Gallery and queue in a browser; two people at once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.support.holding import nothing_begins, nothing_ends
from tests.e2e.support.visitor import SLOW, Visitor
from tests.support.serving import Served

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
Visit = Callable[..., Visitor]


def _asked(me: Visitor, *prompts: str) -> None:
    """Jobs without the form, for tests about what comes after."""
    models = me.page.request.get("/api/models").json()["models"]
    model = next(model["id"] for model in models if model["task"] == "image")
    for prompt in prompts:
        fields = {"prompt": prompt, "steps": 2, "width": 64, "height": 64, "model": model}
        answer = me.page.request.post("/api/jobs", data=fields)
        assert answer.ok, answer.text()


def _made(me: Visitor, *prompts: str) -> None:
    """The same, one after another until they are done."""
    for prompt in prompts:
        _asked(me, prompt)
        me.status(me.tile(prompt), "done")


def test_two_people_are_strangers_to_each_other(visit: Visit, studio: Served) -> None:
    one, two = visit().open(), visit().open()
    one.unfold("Sampler")
    one.set_number("steps", 150)
    one.set_number("count", 8)
    with nothing_ends(studio):
        one.ask("a secret garden")
        two.tab("queue")
        line = two.page.locator(".line li")
        expect(line.first).to_contain_text("somebody 1", timeout=SLOW)
        expect(two.page.locator("body")).not_to_contain_text("a secret garden")
        one.tab("queue")
        one.page.get_by_role("button", name="Cancel all of mine").click()
        expect(one.page.get_by_text("You have nothing in line.")).to_be_visible(timeout=SLOW)

    one.tab("image")
    _made(one, "only mine")
    url = one.page.request.get("/api/gallery").json()["items"][0]["url"]
    assert one.page.request.get(url).ok
    assert two.page.request.get(url).status == 404
    two.tab("gallery")
    expect(two.page.get_by_text("Nothing here yet")).to_be_visible()


def test_the_gallery_searches_opens_walks_deletes_and_undoes(visit: Visit) -> None:
    me = visit().open()
    _made(me, "a green hill", "a blue hill", "a quiet lake")
    me.page.locator("h2").first.click()
    me.page.keyboard.press("/")
    search = me.page.locator("#gallery-search")
    expect(search).to_be_focused()
    search.fill("hill")
    thumbs = me.page.locator(".thumbs:not(.near) .thumb")
    expect(thumbs).to_have_count(2)
    thumbs.first.click()
    about = me.page.locator("dialog .prompt")
    expect(about).to_have_text("a blue hill")
    me.page.keyboard.press("ArrowRight")
    expect(about).to_have_text("a green hill")
    me.linger()
    me.page.locator("dialog").get_by_role("button", name="Delete").click()
    expect(thumbs).to_have_count(1)
    me.page.get_by_role("button", name="Undo").click()
    expect(thumbs).to_have_count(2)
    thumbs.first.click()
    me.page.locator("dialog").get_by_role("button", name="Delete").click()
    me.reload()
    expect(me.page.locator(".thumb")).to_have_count(2)
    expect(me.page.get_by_role("button", name="Open: a blue hill")).to_have_count(0)


def test_several_pictures_come_as_one_zip(visit: Visit) -> None:
    me = visit().open()
    _made(me, "one of two", "two of two")
    me.tab("gallery")
    me.page.locator("#gallery-select").click()
    for thumb in me.page.locator(".thumb").all():
        thumb.click()
    with me.page.expect_download() as download:
        me.page.locator("#gallery-zip").click()
    archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    assert len(archive.namelist()) == 2


def test_the_settings_in_a_picture_are_read_and_sent_to_the_form(visit: Visit) -> None:
    me = visit().open()
    _made(me, "a picture with a memory")
    file = me.page.request.get(me.page.request.get("/api/gallery").json()["items"][0]["url"]).body()
    me.tab("gallery")
    me.page.locator(".reader input[type=file]").set_input_files(
        {"name": "old.png", "mimeType": "image/png", "buffer": file}
    )
    expect(me.page.locator(".info-result .prompt")).to_have_text("a picture with a memory")
    me.page.get_by_role("button", name="Use these settings").click()
    expect(me.prompt).to_have_value("a picture with a memory")
    expect(me.generate).to_be_visible()


def test_the_queue_pauses_and_resumes(visit: Visit, studio: Served) -> None:
    me = visit().open()
    me.unfold("Sampler")
    me.set_number("steps", 150)
    me.set_number("count", 8)
    with nothing_ends(studio):
        me.ask("a long line")
        me.tab("queue")
        rows = me.page.locator(".job")
        expect(rows).to_have_count(8, timeout=SLOW)
        last = rows.last.get_attribute("data-id")
        row = me.page.locator(f".job[data-id='{last}']")
        row.get_by_role("button", name="Pause").click()
        expect(row).to_have_attribute("data-status", "paused")
        row.get_by_role("button", name="Resume").click()
        expect(row).not_to_have_attribute("data-status", "paused")
        expect(me.page.locator(".facts")).to_contain_text("Rows a step")
        with me.page.expect_response("**/api/jobs/*cancel*") as answer:  # one for all of them
            me.page.get_by_role("button", name="Cancel all of mine").click()
        assert len(answer.value.json()["cancelled"]) == 8
        expect(me.page.get_by_text("You have nothing in line.")).to_be_visible(timeout=SLOW)


def test_waiting_jobs_change_places_by_button_and_by_dragging(visit: Visit, studio: Served) -> None:
    me = visit().open()
    _made(me, "warm up")  # the model is open: from here on nothing but the line decides
    order, moved = me.page.locator(".job .name"), "**/api/jobs/order"  # the page shows it before the studio knows it
    with nothing_begins(studio):
        _asked(me, "one", "two", "three")
        me.tab("queue")
        expect(order).to_have_text(["one", "two", "three"])
        with me.page.expect_response(moved):
            me.page.locator(".job", has_text="three").get_by_role("button", name="Move up").click()
        expect(order).to_have_text(["one", "three", "two"])
        with me.page.expect_response(moved):
            me.page.locator(".job", has_text="two").drag_to(me.page.locator(".job", has_text="one"))
        expect(order).to_have_text(["two", "one", "three"])
        expect(me.page.locator(".job").first.get_by_role("button", name="Move up")).to_be_disabled()
    expect(me.page.get_by_text("You have nothing in line.")).to_be_visible(timeout=SLOW)
    jobs = me.page.request.get("/api/jobs").json()["jobs"]
    begun = {job["request"]["prompt"]: job["started"] for job in jobs}
    assert begun["two"] < begun["one"] < begun["three"]


def test_a_filmstrip_comes_on_demand_and_stays_off_the_stage(visit: Visit) -> None:
    me = visit().open()
    _made(me, "from noise to this")
    me.tile("from noise to this").locator(".open").click()
    me.page.locator("dialog").get_by_role("button", name="Filmstrip").click()
    strip = me.page.locator("dialog .strip img")
    expect(strip).to_be_visible(timeout=SLOW)
    me.page.keyboard.press("Escape")
    expect(me.page.locator(".tile")).to_have_count(1)
