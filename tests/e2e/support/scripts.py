"""The page's own modules without the page: called in an empty document, their files come from the disk."""

from __future__ import annotations

import mimetypes
from typing import Any

from playwright.sync_api import Browser, Route

from studio.page.i18n import STATIC

HOST = "http://scripts.test"
CALL = """async ([module, name, values]) => {
    try {
        return { value: await (await import(`/${module}.js`))[name](...values) };
    } catch (error) {
        return { field: error.field ?? null, message: error.message };
    }
}"""


class Refused(Exception):
    """A module has thrown: its sentence, and the field that it names."""

    def __init__(self, message: str, field: str | None):
        self.field = field
        super().__init__(message)


class Scripts:
    """language: of the document, "en" or "zh-CN"."""

    def __init__(self, browser: Browser, language: str = "en"):
        self.page = browser.new_context().new_page()
        self.page.route(f"{HOST}/**", lambda route: _serve(route, language))
        self.page.goto(f"{HOST}/")

    def call(self, module: str, name: str, *values: object) -> Any:
        """What an exported function of static/<module>.js gives for these values. Raises Refused."""
        answer = self.page.evaluate(CALL, [module, name, list(values)])
        if "message" in answer:
            raise Refused(answer["message"], answer["field"])
        return answer.get("value")


def _serve(route: Route, language: str) -> None:
    name = route.request.url.removeprefix(f"{HOST}/")
    file = STATIC / name
    if not name:
        route.fulfill(body=f"<!doctype html><html lang={language}>", content_type="text/html")
    elif file.is_file():
        route.fulfill(path=file, content_type=mimetypes.guess_type(name)[0])
    else:
        route.fulfill(status=404, body="{}", content_type="application/json")
