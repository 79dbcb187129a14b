"""A prompt becomes a picture, in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from studio.formats.metadata import metadata
from studio.worker.messages import Finished, Preview
from tests.e2e.support.holding import nothing_ends, unheard
from tests.e2e.support.kept import until_kept
from tests.e2e.support.visitor import SLOW, Visitor
from tests.support.serving import Served

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
Visit = Callable[..., Visitor]


def test_a_prompt_becomes_a_picture_another_is_cancelled_and_a_reload_finds_both(visit: Visit, studio: Served) -> None:
    me = visit().open()
    me.unfold("Sampler")
    me.set_number("steps", 60)
    with unheard(studio, Preview, Finished) as held:  # two previews are seen before it is done
        tile = me.ask("a red lantern in the snow")
        preview = tile.locator("img.preview")
        held.passes()
        expect(preview).to_have_attribute("src", re.compile("^data:"), timeout=SLOW)
        first = preview.get_attribute("src")
        held.passes()
        expect(preview).not_to_have_attribute("src", first, timeout=SLOW)
        me.status(tile, "running")
    me.status(tile, "done")
    me.set_number("steps", 150)
    with nothing_ends(studio):
        second = me.ask("a picture that nobody waits for")
        second.get_by_role("button", name="Cancel this picture").click()
        me.status(second, "cancelled")

    me.reload()
    me.status(me.tile("a red lantern in the snow"), "done")
    me.status(me.tile("a picture that nobody waits for"), "cancelled")
    me.tab("gallery")
    me.page.get_by_role("button", name="Open: a red lantern in the snow").click()
    about = me.page.locator("dialog .about")
    expect(about).to_contain_text("a red lantern in the snow")
    expect(about).to_contain_text(re.compile(r"Seed\d+"))
    with me.page.expect_download() as saved:
        about.get_by_role("link", name="Save").click()
    fields, _ = metadata.read(saved.value.path().read_bytes()).usable()
    assert (fields["prompt"], fields["steps"]) == ("a red lantern in the snow", 60)


def test_several_clicks_and_a_count_all_show_and_finish(visit: Visit) -> None:
    me = visit().open()
    me.unfold("Sampler")
    me.set_number("steps", 4)
    me.set_number("count", 3)
    me.prompt.fill("three of a kind")
    me.generate.click()
    me.generate.click()
    done = me.page.locator(".tile[data-status=done]")
    expect(done).to_have_count(6, timeout=SLOW)
    seeds = {me.page.request.get("/api/gallery").json()["items"][i]["seed"] for i in range(6)}
    assert len(seeds) == 6


def test_what_is_wrong_is_said_under_its_field_and_goes_when_it_is_right(visit: Visit) -> None:
    me = visit().open()
    me.generate.click()
    expect(me.error("prompt")).to_have_text("Type what should be in the picture.")
    me.page.get_by_role("radio", name="Free").check()
    me.set_number("width", 100)
    me.prompt.fill("a narrow gate")
    me.generate.click()
    expect(me.error("width")).to_contain_text("Width, pixels: got 100, allowed is")
    expect(me.error("prompt")).to_have_count(0)
    me.set_number("width", 64)
    me.set_number("height", 64)
    me.generate.click()
    me.status(me.tile("a narrow gate"), "done")
    expect(me.error("width")).to_have_count(0)


def test_hostile_prompts_are_text(visit: Visit) -> None:
    me = visit().open()
    me.unfold("Sampler")
    me.set_number("steps", 2)
    hostile = '<img src=x onerror="document.title=1"> & <script>1</script> ‏שלום 😀'
    me.status(me.ask(hostile), "done")
    me.tab("gallery")
    me.page.locator(".thumb").first.click()
    expect(me.page.locator("dialog .prompt")).to_have_text(hostile)
    assert me.page.title() == "Triptych"


def test_settings_survive_a_reload_and_can_be_reused(visit: Visit) -> None:
    me = visit().open()
    me.unfold("Sampler")
    me.set_number("steps", 3)
    me.set_number("seed", 77)
    tile = me.ask("a thing to draw again")
    me.status(tile, "done")
    me.prompt.fill("something else")
    me.set_number("steps", 9)
    me.set_number("seed", -1)
    until_kept(me.page, "image", prompt="something else", steps=9, seed=-1)
    me.reload()
    expect(me.prompt).to_have_value("something else")
    me.unfold("Sampler")
    expect(me.page.locator("#steps input[type=number]")).to_have_value("9")
    tile = me.tile("a thing to draw again")
    tile.hover()
    tile.get_by_role("button", name="Reuse settings").click()
    expect(me.prompt).to_have_value("a thing to draw again")
    expect(me.page.locator("#steps input[type=number]")).to_have_value("3")
    expect(me.page.locator("#seed input[type=number]")).to_have_value("77")


SLOW_FRAMES = """() => {
  const soon = requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) => setTimeout(() => soon(draw), 1000);
}"""


def test_what_is_typed_at_once_stays(visit: Visit) -> None:
    """A busy machine draws late, and the network is slow: neither may put anything over what was typed meanwhile."""
    me = visit().open()
    me.prompt.fill("of before")
    until_kept(me.page, "image", prompt="of before")
    held: list[Route] | None = []  # None: they go through

    def hold(route: Route) -> None:
        route.continue_() if held is None else held.append(route)

    me.page.route("**/api/models", hold)
    me.page.reload(wait_until="domcontentloaded")
    me.prompt.fill("typed already")
    me.page.wait_for_timeout(1000)
    late, held = held, None
    for route in late:
        route.continue_()
    me.ready()
    expect(me.prompt).to_have_value("typed already")

    me.page.evaluate(SLOW_FRAMES)
    me.unfold("Sampler")
    me.set_number("steps", 3)
    me.page.wait_for_timeout(2000)
    expect(me.page.locator("#steps input[type=number]")).to_have_value("3")


def test_of_two_wishes_for_a_field_the_later_one_stays(visit: Visit) -> None:
    """The first changes the sampler, which takes longer; then the field is to be as it was."""
    me = visit().open()
    me.prompt.fill("as it is")
    me.page.evaluate(
        """async () => {
            const event = (values) => new CustomEvent("triptych:fill", { detail: { form: "image", values } });
            const wish = (values) => dispatchEvent(event(values));
            wish({ prompt: "first", sampler: "DDIM" });
            await new Promise((done) => setTimeout(done));
            wish({ prompt: "as it is" });
        }"""
    )
    expect(me.page.locator("#sampler input")).to_have_value("DDIM")
    expect(me.prompt).to_have_value("as it is")


def test_a_start_picture_is_taken_shown_and_used(visit: Visit, picture: bytes) -> None:
    me = visit().open()
    me.unfold("Sampler")
    me.set_number("steps", 4)
    me.unfold("Start picture")
    chooser = me.page.locator("#side-image .start-drop input[type=file]")
    chooser.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"})
    expect(me.page.locator("#side-image .start > .problem")).to_contain_text("picture")
    chooser.set_input_files({"name": "start.png", "mimeType": "image/png", "buffer": picture})
    expect(me.page.locator("#side-image .start-drop img")).to_be_visible()
    expect(me.page.locator("#strength")).to_be_visible()
    me.status(me.ask("made from another"), "done")
    request = me.page.request.get("/api/gallery").json()["items"][0]["request"]
    assert re.fullmatch("[0-9a-f]{64}", request["start_picture"])


def test_a_picture_is_pasted_or_dragged_from_the_stage_as_start(visit: Visit, picture: bytes) -> None:
    me = visit().open()
    me.unfold("Sampler")
    me.set_number("steps", 2)
    me.unfold("Start picture")
    me.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    me.page.evaluate(
        """async (bytes) => navigator.clipboard.write(
            [new ClipboardItem({ "image/png": new Blob([new Uint8Array(bytes)], { type: "image/png" }) })])""",
        list(picture),
    )
    me.page.get_by_role("heading", name="What would you like to see?").click()
    me.page.keyboard.press("Control+v")
    start = me.page.locator("#side-image .start-drop img")
    expect(start).to_be_visible()
    pasted = start.get_attribute("src")
    me.page.get_by_role("button", name="Remove the start picture").click()
    expect(start).to_be_hidden()

    tile = me.ask("something to drag")
    me.status(tile, "done")
    expect(tile.locator(".open img")).to_have_js_property("complete", True)  # else there is nothing to drag yet
    expect(tile.locator(".preview")).to_have_count(0)
    tile.locator(".open img").drag_to(me.page.locator("#side-image .start-drop .drop"))
    expect(start).to_be_visible()
    assert start.get_attribute("src") != pasted


def test_only_samplers_that_the_model_can_do_are_offered(visit: Visit) -> None:
    me = visit()
    me.page.route("**/api/models", _with_few_samplers)
    me.open()
    me.unfold("Sampler")
    me.page.locator("#sampler input").click()
    options = me.page.get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.first).to_contain_text("DDIM")
    expect(me.page.locator("#sampler input")).to_have_value("LCM")


def _with_few_samplers(route: Route) -> None:
    answer = route.fetch()
    models = answer.json()["models"]
    for model in models:
        model.update(samplers=["DDIM", "LCM"], sampler="LCM")
    route.fulfill(response=answer, json={"models": models})


def test_a_sketch_follows_what_is_typed_and_is_kept_if_asked_for(visit: Visit) -> None:
    me = visit().open()
    me.page.locator("#model input").click()
    me.page.get_by_role("option", name="tiny", exact=True).click()
    sketch = me.page.locator("#sketch img")
    me.page.get_by_label("Draw while I type").check()
    me.prompt.press_sequentially("a red boat", delay=20)
    expect(sketch).to_have_attribute("alt", "a red boat", timeout=SLOW)
    first = sketch.get_attribute("src")
    me.prompt.press_sequentially(" at sea")
    expect(sketch).to_have_attribute("alt", "a red boat at sea", timeout=SLOW)
    assert sketch.get_attribute("src") != first
    expect(me.page.locator("#stage .tile")).to_have_count(0)

    me.page.get_by_role("button", name="Keep it").click()
    me.status(me.tile("a red boat at sea"), "done")
    me.reload()
    expect(sketch).to_have_attribute("alt", "a red boat at sea", timeout=SLOW)
    me.page.get_by_label("Draw while I type").uncheck()
    expect(sketch).to_be_hidden()
