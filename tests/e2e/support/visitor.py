"""What a person does on the page, in words: open it, ask for a picture, look at the tiles."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

SLOW = 120_000  # milliseconds; the machine that runs the tests may be busy

# What goes by itself after seconds (a note, the time to undo) stays for minutes
LINGER = """() => {
    const later = setTimeout;
    window.setTimeout = (call, after, ...rest) => later(call, after >= 4000 ? 100 * after : after, ...rest);
}"""


class Visitor:
    def __init__(self, page: Page):
        self.page = page

    def open(self, tab: str = "image") -> Visitor:
        self.page.goto(f"/#{tab}", wait_until="domcontentloaded")
        self.ready()
        return self

    def reload(self) -> None:
        self.page.reload(wait_until="domcontentloaded")
        self.ready()

    def ready(self) -> None:
        """The form has its values and the live connection stands."""
        expect(self.page.locator("html[data-form-image=ready]")).to_be_attached(timeout=SLOW)
        expect(self.page.locator(".pill:not([data-state=off])")).to_be_visible(timeout=SLOW)

    def linger(self) -> None:
        """Notes and the time to undo are not over before the test has seen them."""
        self.page.evaluate(LINGER)

    def tab(self, name: str) -> None:
        """Press it, and wait for it: what another tab shows under the same name is not taken for it."""
        self.page.locator(f"#tab-{name}").click()
        expect(self.page.locator(f"html[data-tab={name}]")).to_be_attached()

    @property
    def prompt(self) -> Locator:
        return self.page.locator("#prompt textarea")

    @property
    def generate(self) -> Locator:
        return self.page.locator("#generate")

    def set_number(self, field: str, value: int) -> None:
        """Steps, count, width, seed …: type it and leave the field."""
        box = self.page.locator(f"#{field} input[type=number]")
        box.fill(str(value))
        box.press("Tab")

    def unfold(self, label: str) -> None:
        self.page.locator("#side-image .fold button.label-wrap", has_text=label).click()

    def ask(self, prompt: str) -> Locator:
        """Type a prompt, press the button; the newest tile with that prompt."""
        self.prompt.fill(prompt)
        self.generate.click()
        return self.tile(prompt)

    def tile(self, prompt: str) -> Locator:
        return self.page.locator(".tile", has=self.page.get_by_text(prompt, exact=True)).first

    def status(self, tile: Locator, status: str) -> None:
        expect(tile).to_have_attribute("data-status", status, timeout=SLOW)

    def error(self, field: str) -> Locator:
        return self.page.locator(f"#error-image-{field} p")
