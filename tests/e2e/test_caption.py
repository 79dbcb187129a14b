"""Pictures become words, in a browser: one at a time, and a zip of them; read, asked beyond, corrected, taken away."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

from studio.settings import Settings
from tests.e2e.support.visitor import LINGER, SLOW, Visitor
from tests.studio.support.fake_alignment import COLOURS
from tests.studio.support.fake_captioner import chat_model
from tests.support.dataset_reader import opened
from tests.support.serving import Served, served

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
Visit = Callable[..., Visitor]
FACES = ("red", "green", "blue", "yellow", "black")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio whose captioner names the colour in the middle: what is tested here is the studio."""
    folder = tmp_path_factory.mktemp("captions")
    chat_model(folder / "models")
    with served(Settings(data_dir=folder), {"shelf": "tests.studio.support.fake_captioner:open_model_pool"}) as running:
        yield running


def emoji(colour: str, size: int = 72) -> bytes:
    """A round face."""
    image = Image.new("RGB", (size, size), "#f2efe6")
    pen = ImageDraw.Draw(image)
    pen.ellipse((4, 4, size - 4, size - 4), fill=COLOURS[colour])
    for x in (0.3, 0.6):
        pen.ellipse((size * x, size * 0.3, size * (x + 0.1), size * 0.4), fill="#222222")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def archive() -> bytes:
    """Sixty pictures, one of them with its caption, and three bad files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for i in range(60):
            made.writestr(f"faces/{i:02} 😀.png", emoji(FACES[i % 5]))
        made.writestr("faces/07 😀.txt", "my own emoji")
        made.writestr("../../outside.png", emoji("red"))
        made.writestr("faces/cut.png", emoji("red")[:60])
        made.writestr("faces/inner.zip", b"PK\x05\x06" + bytes(18))
    return file.getvalue()


def come(visit: Visit, **options: object) -> Visitor:
    me = visit(**options)
    me.page.goto("/#caption", wait_until="domcontentloaded")
    expect(me.page.locator("html[data-form-caption=ready]")).to_be_attached(timeout=SLOW)
    expect(me.page.locator(".pill:not([data-state=off])")).to_be_visible(timeout=SLOW)
    return me


def choose(page: Page, place: str, name: str, kind: str, data: bytes) -> None:
    page.locator(f"{place} .drop input[type=file]").set_input_files({"name": name, "mimeType": kind, "buffer": data})


def described(me: Visitor, colour: str = "red") -> Locator:
    """The tile of a picture that was described."""
    choose(me.page, ".source-one", "face.png", "image/png", emoji(colour))
    expect(me.page.locator(".source-one .start-drop img")).to_be_visible(timeout=SLOW)
    me.page.locator("#describe").click()
    tile = me.page.locator(".tile[data-kind=caption][data-status=done]").first
    expect(tile).to_be_visible(timeout=SLOW)
    return tile


@pytest.mark.parametrize("phone", [False, True])
def test_a_picture_is_described_asked_about_and_corrected(visit: Visit, phone: bool) -> None:
    me = come(visit, phone=phone)
    page = me.page
    page.locator("#describe").click()
    expect(page.locator("#error-caption-picture p")).to_have_text("Drop or choose a picture first.")
    tile = described(me)
    expect(tile.locator(".written .text")).to_have_text("a red emoji on a table")
    expect(tile.locator("mark")).to_have_text("on a table")
    expect(tile).to_contain_text("Agreement 91 of 100")
    tile.get_by_text("What is this?").click()
    expect(tile).to_contain_text("does not know left from right")

    tile.get_by_label("Ask about this picture").fill("What colour is it?")
    tile.get_by_role("button", name="Ask", exact=True).click()
    answer = page.locator(".tile[data-status=done]", has_text="What colour is it?").first
    expect(answer.locator(".written .text")).to_have_text("It is red.", timeout=SLOW)

    tile = page.locator(".tile", has_text="2 more candidates")
    tile.get_by_role("button", name="Edit").click()
    tile.get_by_label("The caption").fill("a tomato with eyes 👀")
    tile.get_by_role("button", name="Save", exact=True).click()
    tile = page.locator(".tile", has_text="a tomato with eyes 👀")
    expect(tile).to_contain_text("Edited by you")
    saved = page.request.get("/api/gallery?kind=caption&text=tomato").json()["items"]
    assert [item["prompt"] for item in saved] == ["a tomato with eyes 👀"]
    assert page.request.get(saved[0]["url"]).text() == "a tomato with eyes 👀"
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]

    tile.get_by_role("button", name="Make a picture of this").click()
    expect(me.prompt).to_have_value("a tomato with eyes 👀")
    page.reload(wait_until="domcontentloaded")
    me.tab("caption")
    expect(page.locator(".tile", has_text="a tomato with eyes 👀")).to_be_visible(timeout=SLOW)


@pytest.mark.parametrize("phone", [False, True])
def test_a_zip_is_captioned_corrected_and_taken_away(visit: Visit, phone: bool, tmp_path: Path) -> None:
    me = come(visit, phone=phone)
    page = me.page
    page.get_by_role("radio", name="Many pictures").check()
    choose(page, ".source-many", "faces.zip", "application/zip", archive())
    head = page.locator(".batch-head")
    expect(head).to_contain_text("1 of 60 described · 3 left out", timeout=SLOW)
    expect(page.locator(".note", has_text="are here")).to_be_visible(timeout=SLOW)  # the upload is over, and has looked
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(f"{request.method} {request.url}") if "/api/batches" in request.url else None,
    )
    page.locator("#describe").click()
    expect(head).to_contain_text("60 of 60 described", timeout=SLOW)
    # how it goes on is told over the live connection; one look (of three requests) may be left from the upload
    assert sorted(asked) == sorted(set(asked))
    page.reload(wait_until="domcontentloaded")
    expect(head).to_contain_text("60 of 60 described · 3 left out", timeout=SLOW)

    page.get_by_label("Show", exact=True).select_option("bad")
    bad = page.locator(".batch-item")
    expect(bad).to_have_count(3)
    for said in ("points out of the archive", "damaged or cut-off", "archive inside the archive"):
        expect(bad.filter(has_text=said)).to_have_count(1)
    page.get_by_label("Show", exact=True).select_option("all")
    page.get_by_label("Sort by").select_option("agreement")
    # what came with its picture was checked, too
    expect(page.locator(".batch-item").first).to_contain_text("my own emoji", timeout=SLOW)
    expect(page.locator(".batch-item").nth(1)).to_contain_text("a black emoji on a table")
    expect(page.locator(".batch-item")).to_have_count(60)
    expect(page.locator(".pager")).to_contain_text("1–60 of 63")
    # changed captions are checked again, and by their agreement they would move while they are edited
    page.get_by_label("Sort by").select_option("place")
    expect(page.locator(".batch-item").nth(1)).to_contain_text("a green emoji on a table")

    _change(page, phone)
    page.locator(".words-of", has_text="my own face").click()
    page.locator(".batch-item textarea").fill("the seventh face, by hand")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".words-of", has_text="the seventh face, by hand")).to_be_visible()
    page.locator(".words-of", has_text="a yellow face").first.click()
    page.locator(".batch-item textarea").fill("a lemon with eyes")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".words-of", has_text="a lemon with eyes")).to_be_visible()
    _check_folder(_exported(page, "imagefolder"), tmp_path)
    names = zipfile.ZipFile(io.BytesIO(_exported(page, "txt"))).namelist()
    assert {name.rpartition(".")[0] for name in names} == {f"faces/{i:02} 😀" for i in range(60)}
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]

    me.tab("gallery")  # a word that only a caption says leads to its picture
    page.locator("#gallery-search").fill("lemon")
    found = page.locator("#gallery-stage .thumb[data-kind=caption]")
    expect(found).to_have_count(1, timeout=SLOW)
    expect(found).to_contain_text("a lemon with eyes")
    assert page.request.get("/api/search?text=lemon").json()["items"][0]["prompt"] == "a lemon with eyes"


def _change(page: Page, phone: bool) -> None:
    """Emoji become faces; undone once, and done again."""
    if phone:
        page.locator(".change summary").click()
    page.get_by_label("Find", exact=True).fill("emoji")
    page.get_by_label("Replace with").fill("face")
    page.evaluate(LINGER)
    page.get_by_role("button", name="Change all").click()
    expect(page.get_by_text("60 captions changed")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("60 captions are as before")).to_be_visible(timeout=SLOW)
    expect(page.locator(".words-of", has_text="my own emoji")).to_be_visible()
    page.get_by_role("button", name="Change all").click()
    expect(page.locator(".words-of", has_text="my own face")).to_be_visible(timeout=SLOW)
    page.locator(".note", has_text="60 captions changed").evaluate("note => note.remove()")  # it would lie over others


def _exported(page: Page, form: str) -> bytes:
    page.locator(".export summary").click()
    page.locator(f".export input[value={form}]").check()
    with page.expect_download() as download:
        page.locator("#caption-export").click()
    expect(page.locator(".export[open]")).to_have_count(0)  # it closes by itself, a moment after the click
    return download.value.path().read_bytes()


def _check_folder(data: bytes, folder: Path) -> None:
    """Opened by the library `datasets`: sixty pictures with their captions, none of the bad files."""
    found = opened(data, folder)
    names = [f"faces/{i:02} 😀.png" for i in range(60)]
    assert set(found) == set(names)
    assert {size for _, size in found.values()} == {(72, 72)}
    texts = [found[name][0] for name in names]
    assert texts[7] == "the seventh face, by hand"
    assert texts.count("a lemon with eyes") == 1
    for i in (0, 1, 2, 59):
        assert texts[i] == f"a {FACES[i % 5]} face on a table"


def test_every_picture_of_the_gallery_can_be_described(visit: Visit) -> None:
    me = come(visit)
    fields = {"prompt": "score=0.5", "steps": 1, "width": 64, "height": 64, "model": "sprite", "seed": 255}
    assert me.page.request.post("/api/jobs", data=fields).ok
    me.tab("image")
    tile = me.page.locator(".tile[data-status=done]").first
    expect(tile).to_be_visible(timeout=SLOW)
    tile.hover()
    tile.get_by_role("button", name="Caption it").click()
    expect(me.page.locator(".source-one .start-drop img")).to_be_visible(timeout=SLOW)
    me.page.locator("#describe").click()
    done = me.page.locator(".tile[data-kind=caption][data-status=done]")
    expect(done.locator(".written .text")).to_have_text("a white emoji on a table", timeout=SLOW)
