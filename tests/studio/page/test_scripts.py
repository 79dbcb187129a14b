"""The page's own scripts, as far as they can be judged by reading."""

from __future__ import annotations

import re

from studio.page.i18n import FILE

HANDLER = re.compile(r"\bon[a-z]+(?: =|:) (?:\([^)]*\)|[a-z]+) => (?![{]|void\b)(?P<gives>[^\n]*)")
LOGICAL = re.compile(r"\(?[\w.]+ (?:===|!==) [^?,]*(?:&&|\|\|)|![\w.]+ &&")


def test_no_handler_answers_false():
    """A handler set as `on…` that returns false stops what the browser would do: links, forms, every key."""
    found = [
        f"{file.name}: {match[0]}"
        for file in sorted(FILE.parent.parent.rglob("*.js"))
        for match in HANDLER.finditer(file.read_text(encoding="utf-8"))
        if LOGICAL.match(match["gives"]) and "=> {" not in match["gives"]
    ]
    assert not found, "\n".join(found)


def test_the_search_finds_such_handlers():
    for bad in (
        "dialog.onclick = (event) => event.target === dialog && dialog.close();",
        'menu.onkeydown = (event) => event.key === "Escape" && ((menu.open = false), event.stopPropagation());',
        'onkeydown: (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), go()) });',
    ):
        match = HANDLER.search(bad)
        assert match
        assert LOGICAL.match(match["gives"])
