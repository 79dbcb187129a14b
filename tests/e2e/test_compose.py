"""Text and pictures become a picture, in a browser, at both sizes: every way of working, and back from the gallery."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import pytest
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Browser, Page, expect

from studio.settings import Settings
from studio.worker.messages import Note
from tests.e2e.support.composer import BLUE, RED, Composer, drawn, fits, opened
from tests.e2e.support.holding import unheard
from tests.e2e.support.kept import until_kept
from tests.e2e.support.visitor import SLOW
from tests.e2e.support.watched import visiting
from tests.support.serving import Served, served
from tests.support.tiny import tiny_adapter, tiny_sd

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio with a random model that can be shown pictures."""
    models = tmp_path_factory.mktemp("models")
    tiny_adapter(tiny_sd(models / "seeing"))
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), models_dir=models, device="cpu")
    with served(settings, {"threads": 1}) as running:
        yield running


@pytest.fixture(scope="module", params=[False, True], ids=["desktop", "phone"])
def visitor(request: pytest.FixtureRequest, browser: Browser, studio: Served) -> Iterator[Composer]:
    """One visit for all tests of a size: the page itself takes longest."""
    with visiting(browser, studio, phone=request.param) as page:
        yield Composer(page).come()


@pytest.fixture
def me(visitor: Composer) -> Composer:
    return visitor.blank()


def test_in_the_style_of_an_upload_and_back_from_the_gallery(me: Composer) -> None:
    me.run()
    expect(me.problem("parts")).to_have_text("Add at least one part: words or a picture.")
    me.words("a small house")
    me.choose(".adding", BLUE)
    expect(me.parts).to_have_count(1)
    me.parts.locator("select").select_option("how")
    me.parts.locator(".weight input").fill("0.8")
    expect(me.parts.locator(".caption-of")).to_have_value(re.compile(r"\w"), timeout=SLOW)
    expect(me.page.locator("#compose-gate")).to_be_visible()
    me.page.locator("#compose-auto_gate input").uncheck()
    me.run()
    tile = me.finished()
    expect(tile.locator(".bars li")).to_have_count(2)
    expect(tile.locator(".bars li").first).to_have_text(re.compile(r"^Prompt\d+ %$"))
    expect(tile.locator(".bars li").last.locator("img")).to_have_attribute("alt", "Picture 1")
    expect(tile.locator(".went")).to_have_count(0)  # nobody asked for the automatic gate
    assert fits(me.page)
    expect(me.problem("parts")).to_have_count(0)
    [part] = me.newest()["request"]["parts"]
    assert (part["role"], part["weight"]) == ("how", 0.8)
    assert me.stored(part["picture"]).size == (64, 64)

    me.parts.get_by_role("button", name="Remove this part").click()
    me.words("something else")
    until_kept(me.page, "compose", prompt="something else", parts="[]")
    me.page.reload(wait_until="domcontentloaded")
    me.arrived()
    expect(me.page.locator("#compose-prompt textarea")).to_have_value("something else")
    expect(me.parts).to_have_count(0)
    me.tab("gallery")
    me.page.get_by_role("button", name="Open: a small house").click()
    me.page.locator("dialog").get_by_role("button", name="Reuse settings").click()
    expect(me.page.locator("#compose-prompt textarea")).to_have_value("a small house")
    expect(me.parts.locator("select")).to_have_value("how")
    expect(me.parts.locator(".weight output")).to_have_text("0.80")
    expect(me.parts.locator("img")).to_have_attribute("src", re.compile(part["picture"]))


@pytest.mark.parametrize("visitor", [False], ids=["desktop"], indirect=True)
def test_parts_are_ordered_said_in_words_and_added_from_the_gallery(me: Composer) -> None:
    me.page.locator("#compose-add-text").click()
    me.page.keyboard.type("in oil")
    me.choose(".adding", RED)
    expect(me.parts).to_have_count(2)
    me.parts.nth(1).get_by_role("button", name="Move up").click()
    expect(me.parts.nth(1).locator("textarea")).to_have_value("in oil")
    if me.page.viewport_size["width"] > 820:
        me.parts.nth(1).locator(".grip").drag_to(me.parts.first)
        expect(me.parts.first.locator("textarea")).to_have_value("in oil")
        me.parts.nth(1).locator(".grip").drag_to(me.parts.first)
    caption = me.parts.first.locator(".caption-of")
    expect(caption).to_have_value(re.compile(r"\w"), timeout=SLOW)
    caption.fill("a red ball")
    me.parts.first.get_by_role("button", name="Use as text instead").click()
    expect(me.parts.first.locator("textarea")).to_have_value("a red ball")
    me.run()
    me.finished()
    request = me.newest()["request"]
    assert [(part["text"], part["picture"]) for part in request["parts"]] == [("a red ball", None), ("in oil", None)]
    me.parts.first.get_by_role("button", name="Use the picture again").click()
    expect(me.parts.first.locator("img")).to_be_visible()

    me.tab("gallery")
    me.page.get_by_role("button", name="Open: a red ball, in oil").click()
    me.page.locator("dialog").get_by_role("button", name="Use in a composition").click()
    expect(me.parts).to_have_count(3)
    me.page.locator("#compose-add-gallery").click()
    me.page.locator("dialog.picking .thumb").first.click()
    expect(me.parts).to_have_count(4)
    me.page.locator("#compose-add-drawing").click()
    stroke(me.page)
    me.page.get_by_role("button", name="Done").click()
    expect(me.parts).to_have_count(5)
    expect(me.parts.last.locator("img")).to_be_visible()


PASTE = """(bytes) => {
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([new Uint8Array(bytes)], "picture.png", { type: "image/png" }));
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
}"""


def test_a_picture_is_pasted_and_parts_are_ordered_without_a_mouse(me: Composer) -> None:
    me.page.locator("#compose-add-text").click()
    me.page.keyboard.type("in oil")
    me.page.evaluate(PASTE, list(RED))
    expect(me.parts).to_have_count(2)
    expect(me.parts.last.locator("img")).to_be_visible()
    up = me.parts.last.get_by_role("button", name="Move up")
    if me.page.viewport_size["width"] < 820:
        up.tap()
        expect(me.parts.first.locator(".grip")).to_be_hidden()
    else:
        up.press("Enter")
    expect(me.parts.first.locator("img")).to_be_visible()
    down = me.parts.first.get_by_role("button", name="Move down")
    expect(down).to_be_focused()  # there is no further up
    down.press("Enter")
    expect(me.parts.first.locator("textarea")).to_have_value("in oil")


@pytest.mark.parametrize("visitor", [False], ids=["desktop"], indirect=True)
def test_the_automatic_gate_is_seen_moving_and_where_it_went(me: Composer, studio: Served) -> None:
    """What the model makes is like the picture that it has made before, and not like any words: these are raised."""
    me.words("a red ball")
    me.put(steps=20, seed=1)
    me.run()
    me.finished()
    me.choose(".adding", me.page.request.get(me.newest()["url"]).body())
    me.page.locator("#compose-stage .clear").click()
    expect(me.parts).to_have_count(1)
    me.put(steps=60, gate=0.95, seed=1)
    me.page.locator("#compose-auto_gate input").check()
    expect(me.page.locator("#compose-gate input[type=number]")).to_have_value("0.95")
    said = ""
    with unheard(studio, Note) as held:  # the first one is empty, and so is the last, when all steps are taken
        me.run()
        while (note := held.comes().text) or not said:
            said = note.capitalize()
            held.passes()
        assert re.fullmatch(r"Auto: text \d+ %, pictures \d+ %", said)
        assert "text 10 %" not in said
        expect(me.page.locator("#compose-stage .tile[data-status=running] .went .words")).to_have_text(said)
    expect(me.finished().locator(".went .words")).to_have_text(said)


@pytest.mark.parametrize("visitor", [False], ids=["desktop"], indirect=True)
def test_masks_that_are_black_white_or_of_another_size(me: Composer) -> None:
    me.way("Inpaint")
    me.work_on(RED)
    expect(me.page.locator("#compose-width input")).to_have_value("64")
    me.words("a hat")
    me.page.locator("#compose-paint").click()
    me.page.get_by_role("button", name="All", exact=True).click()
    me.page.keyboard.press("Escape")  # given up: nothing is painted
    expect(me.page.locator("dialog")).to_have_count(0)
    expect(me.page.locator(".base .shade")).to_be_hidden()
    me.page.locator("#compose-paint").click()
    me.page.get_by_role("button", name="All", exact=True).click()
    me.page.get_by_role("button", name="Done").click()
    expect(me.page.locator(".base .shade")).to_be_visible()
    me.has("mask")
    me.run()
    expect(me.finished().locator(".note-line")).to_have_text("The mask is all white: the whole picture may change.")

    small = Image.new("L", (16, 32))
    small.paste(255, (0, 0, 8, 32))
    file = io.BytesIO()
    small.save(file, "PNG")
    me.put(mask=me.uploaded(file.getvalue()))
    me.run()
    said = "The mask is 16 x 32, the picture 64 x 64: it was resized."
    expect(me.finished(2).first.locator(".note-line")).to_contain_text(said)
    me.put(mask=me.uploaded(drawn("#000000", "#000000")))
    me.run()
    failed = me.page.locator("#compose-stage .tile[data-status=failed]")
    said = "What may change: got 'all black', allowed is a mask with something white: there is nothing to do."
    expect(failed).to_contain_text(said, timeout=SLOW)


@pytest.mark.parametrize("visitor", [False], ids=["desktop"], indirect=True)
def test_other_parts_are_not_lost_to_what_the_list_tells_of_itself(me: Composer) -> None:
    """Reuse, and in the same moment a change of the card that goes: its caption arrives, its weight is moved."""
    me.put(parts=json.dumps([{"role": "what", "text": "of before", "weight": 1}]))
    expect(me.parts).to_have_count(1)
    me.page.evaluate(
        """() => {
            const field = document.querySelector(".part textarea");
            const detail = { form: "compose", values: { parts: '[{"role":"not","text":"fog","weight":1}]' } };
            dispatchEvent(new CustomEvent("triptych:fill", { detail }));
            field.value = "too late";
            field.dispatchEvent(new Event("input"));
        }"""
    )
    expect(me.parts.locator("select")).to_have_value("not")
    expect(me.parts.locator("textarea")).to_have_value("fog")
    expect(me.page.locator("#compose-parts textarea")).to_have_value(re.compile("fog"))


def stroke(page: Page) -> None:
    """From the left third to the right, in the upper half of the canvas."""
    place = page.locator(".sheet canvas").bounding_box()
    assert place
    across = [place["x"] + place["width"] * part for part in (0.3, 0.4, 0.6)]
    height = place["y"] + place["height"] * 0.3
    page.mouse.move(across[0], height)
    page.mouse.down()
    for at in across[1:]:
        page.mouse.move(at, height, steps=3)
    page.mouse.up()


def test_what_is_not_painted_stays_to_the_last_bit(me: Composer) -> None:
    me.way("Inpaint")
    me.run()
    expect(me.problem("start_picture")).to_have_text("Choose the picture to change.")
    me.way("Free")
    expect(me.problem("start_picture")).to_have_count(0)
    me.way("Inpaint")
    me.work_on(drawn("#d33b2f", "#8fc4e8", (96, 64)))
    expect(me.page.locator("#compose-width input")).to_have_value("96")
    me.words("a yellow hat")
    me.run()
    expect(me.problem("mask")).to_have_text("Paint what shall change first.")
    me.page.locator("#compose-paint").click()
    stroke(me.page)
    me.page.get_by_role("button", name="Done").click()
    expect(me.page.locator(".base .shade")).to_be_visible()
    me.has("mask")
    me.run()
    me.finished()
    assert fits(me.page)

    item = me.newest()
    mask = me.stored(item["request"]["mask"]).convert("L")
    assert {value for _, value in mask.getcolors()} == {0, 255}
    start = me.stored(next(part["picture"] for part in item["request"]["parts"] if part["role"] == "where"))
    result = opened(me.page, item["url"])
    assert result.size == start.size == mask.size == (96, 64)
    reach = 2 * item["request"]["mask_blur"]
    outside = mask.filter(ImageFilter.MaxFilter(2 * reach + 1)).point(lambda value: 255 - value)
    changed = ImageChops.difference(result, start)
    assert changed.getbbox()
    assert outside.getextrema()[1] == 255
    assert not ImageChops.multiply(changed, outside.convert("RGB")).getbbox()

    me.way("Free")
    me.tab("gallery")
    me.page.get_by_role("button", name="Open: a yellow hat").click()
    me.page.locator("dialog").get_by_role("button", name="Reuse settings").click()
    expect(me.page.locator("#compose-way label", has_text="Inpaint").locator("input")).to_be_checked()
    expect(me.page.locator(".base .shade")).to_be_visible()
    me.page.get_by_role("button", name="Edit the mask").click()
    me.page.locator("dialog").get_by_role("button", name="Clear", exact=True).click()
    me.page.get_by_role("button", name="Done").click()
    expect(me.page.locator(".base .shade")).to_be_hidden()


def test_the_content_of_one_picture_in_the_style_of_another(me: Composer) -> None:
    me.way("Restyle")
    me.work_on(RED)
    me.run()
    expect(me.problem("parts")).to_have_text("Add the picture whose style to take.")
    me.choose(".slot", BLUE)
    expect(me.parts.locator("select")).to_have_value("how")
    me.run()
    me.finished()
    parts = me.newest()["request"]["parts"]
    assert [part["role"] for part in parts] == ["how", "where"]
    assert len({part["picture"] for part in parts}) == 2


def test_a_blend_is_a_strip_in_order(me: Composer) -> None:
    me.way("Blend")
    me.words("a red ball")
    me.run()
    expect(me.problem("blend")).to_contain_text("Say what to blend into")
    me.page.locator("#compose-blend_prompt textarea").fill("a blue ball")
    me.put(frames=3)
    expect(me.page.locator("#compose-frames input[type=number]")).to_have_value("3")
    me.run()
    tiles = me.finished(3)
    strip = me.page.get_by_role("group", name="Blend in 3 frames")
    expect(strip.locator(".tile")).to_have_count(3)
    ids = [tile.get_attribute("data-id") for tile in tiles.all()]
    frames = [me.page.request.get(f"/api/jobs/{id}").json()["job"]["request"] for id in ids]
    assert [frame["blend"]["at"] for frame in frames] == [0, 0.5, 1]
    assert len({frame["seed"] for frame in frames}) == 1
    expect(tiles.first.locator(".caption")).to_have_text("a red ball")
    expect(tiles.last.locator(".caption")).to_have_text("a blue ball")
    left = [tile.bounding_box()["x"] for tile in tiles.all()]
    assert left == sorted(left)
    assert fits(me.page)


def test_a_picture_grows_and_its_middle_stays(me: Composer) -> None:
    me.way("Extend")
    me.work_on(RED)
    expect(me.page.locator(".margins p")).to_have_text("64 × 64 becomes 96 × 64 pixels")
    me.page.locator("#compose-right").fill("41")
    me.page.locator("#compose-right").press("Tab")
    expect(me.page.locator(".margins p")).to_have_text("64 × 64 becomes 120 × 64 pixels")
    expect(me.page.locator("#compose-width input")).to_have_value("120")
    me.run()
    me.finished()
    item = me.newest()
    assert (item["request"]["expand"]["right"], item["width"]) == (40, 120)
    blur = item["request"]["mask_blur"]
    inner = (16 + 2 * blur, 0, 80 - 2 * blur, 64)
    kept = me.stored(item["request"]["parts"][0]["picture"]).crop((2 * blur, 0, 64 - 2 * blur, 64))
    assert not ImageChops.difference(opened(me.page, item["url"]).crop(inner), kept).getbbox()


def test_words_alone_are_enough_and_what_is_made_is_seen_here(me: Composer) -> None:
    me.words("a small tree")
    me.run()
    me.finished()
    assert me.newest()["request"]["parts"][0]["text"] == "a small tree"


def test_words_of_a_picture_are_read_and_changed(me: Composer) -> None:
    me.way("Reword")
    me.work_on(RED)
    prompt = me.page.locator("#compose-prompt textarea")
    expect(prompt).to_have_value(re.compile(r"\w"), timeout=SLOW)
    prompt.fill("a blue ball")
    me.run()
    me.finished()
    assert me.newest()["request"]["prompt"] == "a blue ball"
    me.way("Free")
    expect(me.parts.locator("select")).to_have_value("where")
    me.way("Vary")
    expect(me.page.locator(".base .seen img")).to_be_visible()
    expect(me.page.locator("#compose-count input[type=number]")).to_have_value("4")
