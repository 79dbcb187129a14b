"""Somebody at the Compose tab."""

from __future__ import annotations

import io
import itertools
import json
import re

from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

from tests.e2e.support.visitor import SLOW, Visitor


def drawn(ball: str, ground: str, size: tuple[int, int] = (64, 64)) -> bytes:
    """A ball on a ground."""
    image = Image.new("RGB", size, ground)
    width, height = size
    ImageDraw.Draw(image).ellipse((width * 0.3, height * 0.3, width * 0.7, height * 0.7), fill=ball)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


RED, BLUE = drawn("#d33b2f", "#8fc4e8"), drawn("#2f6fd0", "#e6c27a")


BLANK = {"way": "free", "parts": "[]", "start_picture": "", "mask": "", "expand": "", "prompt": "", "frames": 5,
         "count": 1, "model": "seeing", "steps": 2, "width": 64, "height": 64, "strength": 0.6,
         "blend_prompt": ""}  # fmt: skip
STORED = re.compile("^[0-9a-f]{64}$")
seeds = itertools.count(1000)


class Composer(Visitor):
    """Somebody at the Compose tab, with the small model and few steps."""

    def come(self) -> Composer:
        self.page.goto("/#compose", wait_until="domcontentloaded")
        self.arrived()
        return self

    def blank(self) -> Composer:
        """A form with nothing in it, and an empty stage."""
        self.tab("compose")
        self.put(**BLANK)
        expect(self.page.locator("#compose-width input")).to_have_value("64")
        expect(self.parts).to_have_count(0)
        clear = self.page.locator("#compose-stage .clear")
        if clear.is_visible():
            clear.click()
        expect(self.page.locator("#compose-stage .tile")).to_have_count(0)
        return self

    def arrived(self) -> None:
        expect(self.page.locator("html[data-form-compose=ready]")).to_be_attached(timeout=SLOW)
        expect(self.page.locator(".pill:not([data-state=off])")).to_be_visible(timeout=SLOW)

    def put(self, **values: object) -> None:
        """Values into the form, as other parts of the page do it. A seed of its own tells when Gradio has them all."""
        values = {"seed": next(seeds)} | values
        detail = json.dumps({"form": "compose", "values": values})
        self.page.evaluate(f"dispatchEvent(new CustomEvent('triptych:fill', {{ detail: {detail} }}))")
        expect(self.page.locator("#compose-seed input")).to_have_value(str(values["seed"]))

    def has(self, field: str, value: str | re.Pattern = STORED) -> None:
        """The form knows of a stored picture; what is shown of it comes a moment earlier."""
        expect(self.page.locator(f"#compose-{field} textarea")).to_have_value(value)

    def way(self, name: str) -> None:
        self.page.locator("#compose-way label", has_text=name).click()
        expect(self.page.locator("#compose-way label", has_text=name).locator("input")).to_be_checked()

    def words(self, text: str) -> None:
        self.page.locator("#compose-prompt textarea").fill(text)

    def choose(self, place: str, data: bytes) -> None:
        file = {"name": "picture.png", "mimeType": "image/png", "buffer": data}
        self.page.locator(f"{place} input[type=file]").set_input_files(file)

    def work_on(self, data: bytes) -> None:
        """The picture that the way is about; its size becomes that of the result."""
        self.choose("#root-compose-picture", data)
        expect(self.page.locator(".base .seen img")).to_be_visible(timeout=SLOW)
        self.has("start_picture")

    def run(self) -> None:
        self.page.locator("#compose").click()

    @property
    def parts(self) -> Locator:
        return self.page.locator(".part")

    def finished(self, count: int = 1) -> Locator:
        tiles = self.page.locator("#compose-stage .tile[data-status=done]")
        expect(tiles).to_have_count(count, timeout=SLOW)
        return tiles

    def uploaded(self, data: bytes) -> str:
        """The hash of a picture that the studio keeps for requests."""
        file = {"name": "picture.png", "mimeType": "image/png", "buffer": data}
        return self.page.request.post("/api/uploads", multipart={"file": file}).json()["sha256"]

    def newest(self) -> dict:
        return self.page.request.get("/api/gallery").json()["items"][0]

    def stored(self, sha256: str) -> Image.Image:
        return opened(self.page, f"/api/uploads/{sha256}")

    def problem(self, field: str) -> Locator:
        return self.page.locator(f"#error-compose-{field} p")


def opened(page: Page, url: str) -> Image.Image:
    return Image.open(io.BytesIO(page.request.get(url).body())).convert("RGB")


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")
