"""Answers that come late, in a browser: what somebody does meanwhile counts, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.support.visitor import SLOW, Visitor
from tests.e2e.test_caption import Visit, choose, come, described, emoji, studio

__all__ = ["studio"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

LISTEN = """() => {
    window.filled = [];
    addEventListener("triptych:fill", ({ detail }) => filled.push(detail.values.picture));
}"""
ANOTHER = """(id) => dispatchEvent(
    new CustomEvent("triptych:fill", { detail: { form: "caption", values: { batch: id } } }))"""


class Late:
    """Requests of one kind, each held until it may pass: their answers come when the test says so."""

    def __init__(self, page: Page, path: str, method: str):
        self._page, self._method, self._all = page, method, False
        self._held: list[Route] = []
        page.route(path, self._take)

    def _take(self, route: Route) -> None:
        if self._all or route.request.method != self._method:
            route.continue_()
        else:
            self._held.append(route)

    def first(self) -> Route:
        """As soon as one is there."""
        for _ in range(SLOW // 20):
            if self._held:
                return self._held.pop(0)
            self._page.wait_for_timeout(20)
        raise AssertionError("nothing was asked for")

    def pass_all(self) -> None:
        """Those that are held, and those to come."""
        self._all = True
        for route in self._held:
            route.continue_()


def batch_of(page: Page, *words: str) -> str:
    """A batch whose pictures have these captions; its id."""
    id = page.request.post("/api/batches", data={"name": words[0]}).json()["batch"]["id"]
    for number, text in enumerate(words, 1):
        file = {"name": "file", "mimeType": "image/png", "buffer": emoji("red", 72 + number)}
        page.request.post(f"/api/batches/{id}/files", multipart={"name": f"{number}.png", "file": file})
        assert page.request.patch(f"/api/batches/{id}/items/{number}", data={"text": text}).ok
    return id


def words_of(page: Page, batch: str) -> list[str]:
    return [item["text"] for item in page.request.get(f"/api/batches/{batch}/items").json()["items"]]


@pytest.fixture
def batches(visit: Visit) -> Callable[[], tuple[Visitor, str, str]]:
    """batches() -> somebody who looks at the first of two batches, and both ids."""

    def made() -> tuple[Visitor, str, str]:
        me = come(visit)
        mine, other = batch_of(me.page, "my one", "my two"), batch_of(me.page, "other one", "other two")
        me.page.reload(wait_until="domcontentloaded")
        expect(me.page.locator("html[data-form-caption=ready]")).to_be_attached(timeout=SLOW)
        me.page.get_by_role("radio", name="Many pictures").check()
        look_at(me.page, mine, "my one")
        me.linger()
        return me, mine, other

    return made


def look_at(page: Page, batch: str, text: str) -> None:
    page.locator("#caption-batches").select_option(batch)
    expect(page.locator(".words-of", has_text=text)).to_be_visible(timeout=SLOW)


def test_of_two_pictures_the_one_that_was_given_last_counts(visit: Visit) -> None:
    page = come(visit).page
    page.evaluate(LISTEN)
    uploads = Late(page, "**/api/uploads", "POST")
    choose(page, ".source-one", "wrong.png", "image/png", emoji("red"))
    wrong = uploads.first()
    uploads.pass_all()
    choose(page, ".source-one", "right.png", "image/png", emoji("green"))
    expect(page.locator(".source-one .start-drop img")).to_be_visible(timeout=SLOW)
    drop = page.locator(".source-one .drop")
    expect(drop).not_to_have_attribute("data-busy", "")
    drop.evaluate("drop => (drop.dataset.busy = '')")  # which goes when the late answer has been taken note of
    wrong.continue_()
    expect(drop).not_to_have_attribute("data-busy", "")
    assert len(page.evaluate("filled")) == 1
    page.locator("#describe").click()
    done = page.locator(".tile[data-kind=caption][data-status=done]")
    expect(done.locator(".written .text")).to_have_text("a green emoji on a table", timeout=SLOW)


def test_who_types_is_not_interrupted_when_the_list_is_sorted_anew(visit: Visit) -> None:
    page = come(visit).page
    page.get_by_role("radio", name="Many pictures").check()
    for name, colour in (("a", "red"), ("b", "green"), ("c", "blue")):
        choose(page, ".source-many", f"{name}.png", "image/png", emoji(colour))
        expect(page.locator(".batch-item", has_text=f"{name}.png")).to_be_visible(timeout=SLOW)
    page.locator("#describe").click()
    expect(page.locator(".batch-head")).to_contain_text("3 of 3 described", timeout=SLOW)
    page.get_by_label("Sort by").select_option("agreement")
    items = page.locator(".batch-item")
    expect(items.locator(".name")).to_have_text(["c.png", "b.png", "a.png"])

    saving = Late(page, "**/api/batches/*/items/3", "PATCH")
    page.locator(".words-of", has_text="a blue emoji").click()
    page.locator(".batch-item textarea").fill("a blue face")
    page.keyboard.press("Control+Enter")
    saved = saving.first()
    page.locator(".words-of", has_text="a green emoji").click()
    field = page.get_by_label("The caption: b.png")
    expect(field).to_be_focused()
    field.fill("half a sen")
    saved.continue_()  # what it says is not checked yet: it goes to the end
    expect(items.first.locator(".name")).to_have_text("b.png")
    expect(field).to_be_focused()
    page.keyboard.type("tence")
    expect(field).to_have_value("half a sentence")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".words-of", has_text="half a sentence")).to_be_visible()


def test_pictures_on_their_way_into_another_batch_do_not_take_somebody_there(batches: Callable) -> None:
    me, mine, other = batches()
    page = me.page
    look_at(page, other, "other one")
    sending = Late(page, "**/api/batches/*/files", "POST")
    choose(page, ".source-many", "3.png", "image/png", emoji("blue"))
    sent = sending.first()
    look_at(page, mine, "my one")
    page.locator(".words-of", has_text="my one").click()
    field = page.get_by_label("The caption: 1.png")
    expect(field).to_be_focused()
    field.fill("better words")
    sent.continue_()
    expect(page.locator(".note", has_text="1 files are here")).to_be_visible(timeout=SLOW)
    expect(field).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".words-of", has_text="better words")).to_be_visible()
    assert page.locator("#caption-batches").input_value() == mine
    assert words_of(page, mine) == ["better words", "my two"]
    assert words_of(page, other) == ["other one", "other two", None]


@pytest.mark.parametrize("large", [False, True])
def test_words_are_saved_in_the_batch_in_which_they_were_written(batches: Callable, large: bool) -> None:
    me, mine, other = batches()
    page = me.page
    if large:
        page.get_by_role("button", name="Open: 1.png").click()
    else:
        page.locator(".words-of", has_text="my one").click()
    field = page.get_by_label("The caption: 1.png").last
    field.fill("better words")
    with page.expect_response("**/api/batches/*/items/1") as saved:
        page.evaluate(ANOTHER, other)
        expect(page.locator(".batch-item", has_text="other two")).to_be_attached(timeout=SLOW)
        if large:
            page.locator("dialog.batch-large").get_by_role("button", name="Next").click()
    assert saved.value.ok
    assert words_of(page, mine) == ["better words", "my two"]
    assert words_of(page, other) == ["other one", "other two"]


def test_what_was_left_out_is_taken_back_into_its_own_batch(batches: Callable) -> None:
    me, mine, other = batches()
    page = me.page
    page.get_by_role("button", name="Find near-duplicates").click()
    page.get_by_role("button", name="Keep one of each, leave out 1").click(timeout=SLOW)
    left = page.locator(".note", has_text="1 left out")
    expect(left).to_be_visible(timeout=SLOW)
    look_at(page, other, "other one")
    with page.expect_response("**/api/batches/*/back") as answer:
        left.get_by_role("button", name="Undo").click()
    assert answer.value.json()["changed"] == 1
    assert f"/{mine}/" in answer.value.url


def test_a_caption_cannot_be_changed_while_it_is_being_saved(visit: Visit) -> None:
    me = come(visit)
    page, tile = me.page, described(me)
    saving = Late(page, "**/api/gallery/*", "PATCH")
    tile.get_by_role("button", name="Edit").click()
    field = tile.get_by_label("The caption")
    field.fill("a caat")
    tile.get_by_role("button", name="Save", exact=True).click()
    refused = saving.first()
    expect(field).to_be_disabled()
    refused.fulfill(status=422, json={"error": {"code": "invalid", "message": "Not these words."}})
    expect(tile.get_by_role("alert").filter(has_text="Not these words.")).to_be_visible()
    expect(field).to_be_enabled()
    field.fill("a cat")
    tile.get_by_role("button", name="Save", exact=True).click()
    saved = saving.first()
    expect(field).to_be_disabled()
    saved.continue_()
    expect(tile.locator(".written .text")).to_have_text("a cat", timeout=SLOW)


def test_what_is_deleted_in_the_gallery_leaves_the_stage(visit: Visit) -> None:
    me = come(visit)
    described(me)
    me.tab("gallery")
    card = me.page.locator("#gallery-stage .thumb[data-kind=caption]")
    expect(card).to_be_visible(timeout=SLOW)
    me.page.get_by_role("button", name="Select", exact=True).click()
    card.click()
    with me.page.expect_response(lambda answer: answer.url.endswith("/api/gallery/delete"), timeout=SLOW):
        me.page.locator("#gallery-delete").click()
    me.tab("caption")
    expect(me.page.locator("#caption-stage .tile")).to_have_count(0)
    me.reload()
    expect(me.page.locator("#caption-stage .tile")).to_have_count(0)
