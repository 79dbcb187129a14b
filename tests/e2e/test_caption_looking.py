"""A closer look, in a browser: where a word is, labels of one's own, near-duplicates, a batch walked through."""

from __future__ import annotations

import io
import zipfile

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.support.visitor import SLOW
from tests.e2e.test_caption import Visit, choose, come, described, emoji, studio

__all__ = ["studio"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


SAME_PLACE = """(images) => {
    const [cover, image] = images.map((one) => JSON.stringify(one.getBoundingClientRect()));
    return cover === image && images[1].getBoundingClientRect().width > 0;
}"""


def test_where_a_word_is_and_which_label_fits(visit: Visit) -> None:
    page = come(visit).page
    tile = described_by(page)
    tile.locator(".phrase", has_text="emoji").click()
    expect(tile.locator(".heat-said")).to_contain_text("Nothing stands out for “emoji”")  # it only knows colours
    cover, image = tile.locator("img.heat"), tile.locator(".shown img:not(.heat)")
    page.wait_for_function(SAME_PLACE, arg=[cover.element_handle(), image.element_handle()])
    tile.get_by_text("Look closer").click()
    tile.get_by_label("Where in the picture is …").fill("a red nose")
    tile.get_by_role("button", name="Show where").click()
    expect(tile.locator(".heat-said")).to_contain_text("Warm: where the picture matches “a red nose”")
    tile.get_by_role("button", name="Take it off").click()
    expect(cover).to_have_count(0)

    tile.get_by_label("Your own labels").fill("green, a red thing")
    tile.get_by_role("button", name="Which fits?").click()
    lines = tile.locator(".labels li")
    expect(lines).to_have_text(["a red thing80 %", "green10 %"])
    expect(lines.nth(1)).to_have_attribute("data-guess", "")
    tile.locator("button.shown").click()
    page.locator("dialog .phrase", has_text="on a table").click()
    expect(page.locator("dialog .heat-said")).to_contain_text("on a table")


def described_by(page: Page):
    me = type("Me", (), {"page": page})
    return described(me)


@pytest.mark.parametrize("phone", [False, True])
def test_near_duplicates_leave_with_one_click_and_a_batch_is_walked_through(visit: Visit, phone: bool) -> None:
    page = come(visit, phone=phone).page
    page.get_by_role("radio", name="Many pictures").check()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for i, colour in enumerate(("red", "green", "red", "blue", "green", "red")):
            made.writestr(f"{i}.png", emoji(colour, 72 + i))
    choose(page, ".source-many", "six.zip", "application/zip", file.getvalue())
    head = page.locator(".batch-head")
    expect(head).to_contain_text("0 of 6 described", timeout=SLOW)
    page.get_by_role("button", name="Find near-duplicates").click()
    expect(page.locator(".alike")).to_contain_text("2 groups, 3 pictures more than needed", timeout=SLOW)
    page.get_by_role("radio", name="5.png").click()
    expect(page.get_by_role("radio", name="5.png")).to_have_attribute("aria-checked", "true")
    page.get_by_role("button", name="Keep one of each, leave out 3").click()
    expect(head).to_contain_text("0 of 3 described · 3 left out", timeout=SLOW)
    gone = page.locator(".batch-item[data-status=refused]")
    expect(gone.filter(has_text="nearly the same as 5.png")).to_have_count(2)
    gone.filter(has_text="nearly the same as 1.png").get_by_role("button", name="Take it back in").click()
    expect(head).to_contain_text("0 of 4 described · 2 left out", timeout=SLOW)
    page.locator("#describe").click()
    expect(head).to_contain_text("4 of 4 described", timeout=SLOW)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]

    page.get_by_role("button", name="Open: 3.png").click()
    large = page.locator("dialog.batch-large")
    expect(large).to_contain_text("4 of 6")
    words = large.get_by_label("The caption: 3.png")
    expect(words).to_have_value("a blue emoji on a table")
    large.get_by_role("button", name="Next").click() if phone else page.keyboard.press("ArrowRight")
    words = large.get_by_label("The caption: 4.png")
    expect(words).to_be_visible()
    words.fill("a red one")
    words.press("PageUp")
    expect(large.get_by_label("The caption: 3.png")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(large).to_have_count(0)
    changed = page.locator(".batch-item", has_text="a red one")
    expect(changed).to_contain_text("4 of 100", timeout=SLOW)
    expect(changed).to_contain_text("Edited by you")
