"""The page itself: languages, keys, phone, light and dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.support.holding import nothing_begins, nothing_ends
from tests.e2e.support.kept import until_kept
from tests.e2e.support.visitor import SLOW, Visitor
from tests.support.serving import Served

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
Visit = Callable[..., Visitor]


def test_the_language_follows_the_browser_and_can_be_switched(visit: Visit) -> None:
    me = visit(locale="zh-CN").open()
    expect(me.generate).to_contain_text("生成")
    expect(me.page.locator("#prompt")).to_contain_text("提示词")
    me.prompt.fill("一只猫")
    until_kept(me.page, "image", prompt="一只猫")
    me.page.locator("#language").click()
    expect(me.generate).to_contain_text("Generate", timeout=SLOW)
    me.ready()
    expect(me.page.get_by_role("tab", name="Gallery")).to_be_visible()
    expect(me.prompt).to_have_value("一只猫")
    me.reload()
    expect(me.generate).to_contain_text("Generate")
    me.page.locator("#language").click()
    expect(me.generate).to_contain_text("生成", timeout=SLOW)
    me.ready()
    me.prompt.fill(" ")
    me.generate.click()
    expect(me.error("prompt")).to_have_text("请写下想画的内容。")


def test_keys_run_and_cancel(visit: Visit, studio: Served) -> None:
    me = visit().open()
    me.unfold("Sampler")
    me.set_number("steps", 150)
    me.set_number("count", 4)
    me.prompt.fill("run by a key")
    with nothing_ends(studio):
        me.page.keyboard.press("Control+Enter")
        expect(me.page.locator(".tile")).to_have_count(4, timeout=SLOW)
        me.page.keyboard.press("Escape")
        expect(me.page.locator(".tile[data-status=cancelled]")).to_have_count(1)
        me.tab("queue")
        me.page.get_by_role("button", name="Cancel all of mine").click()
        expect(me.page.get_by_text("You have nothing in line.")).to_be_visible(timeout=SLOW)


@pytest.mark.parametrize("late", ["main", "image/form"], ids=["no script is there", "the form is not filled"])
def test_a_key_pressed_before_the_page_has_taken_hold_still_runs(visit: Visit, late: str) -> None:
    me, held, pressed = visit(), [], []
    me.page.route(f"**/js/{late}.js", lambda route: route.continue_() if pressed else held.append(route))
    me.page.goto("/#image", wait_until="commit")
    me.prompt.fill("as early as can be")
    me.page.keyboard.press("Control+Enter")
    while not held:  # whoever asks for it first is who it waits for
        me.page.wait_for_timeout(50)
    pressed.append(True)
    for route in held:
        route.continue_()
    me.status(me.tile("as early as can be"), "done")
    expect(me.page.locator(".tile")).to_have_count(1)


def test_on_a_phone_the_button_is_always_within_reach(visit: Visit, studio: Served) -> None:
    me = visit(phone=True).open()
    expect(me.generate).to_be_in_viewport()
    me.page.mouse.wheel(0, 2000)
    expect(me.generate).to_be_in_viewport()
    me.prompt.fill("seen on a phone")
    tile = me.tile("seen on a phone")
    with nothing_begins(studio):
        me.generate.tap()
        expect(tile).to_be_in_viewport(timeout=SLOW)
    me.status(tile, "done")
    expect(tile.get_by_role("button", name="Reuse settings")).to_be_visible()
    width = me.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


def test_light_and_dark_are_switched_and_remembered(visit: Visit) -> None:
    me = visit().open()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = me.page.evaluate(ground)
    me.page.locator("#theme").click()
    dark = me.page.evaluate(ground)
    assert light != dark
    me.reload()
    assert me.page.evaluate(ground) == dark


def test_an_example_fills_the_form_and_nothing_of_the_framework_shows(visit: Visit) -> None:
    me = visit().open()
    example = me.page.locator(".example").first
    words = example.locator("span").inner_text()
    example.click()
    expect(me.prompt).to_have_value(words)
    expect(me.page.locator(".example")).to_have_count(6)
    assert "radio" not in me.page.locator("body").inner_text()
    assert me.page.title() == "Triptych"
