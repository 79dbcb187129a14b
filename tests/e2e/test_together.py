"""Several pictures at once, and what is found by meaning."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.support.visitor import SLOW, Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def test_the_best_of_several_says_so_and_meaning_finds_more_than_words(visit: Callable[..., Visitor]):
    me = visit().open()
    for request in ({"prompt": "a cat", "count": 2, "steps": 2, "seed": 3}, {"kind": "speech", "text": "A kitten."}):
        assert me.page.request.post("/api/jobs", data=request).status == 201
    expect(me.page.locator("#panel-image .score")).to_have_count(2, timeout=SLOW)
    expect(me.page.locator("#panel-image .score.best")).to_have_count(1)
    me.tab("gallery")
    me.page.locator("#gallery-search").fill("cat")
    expect(me.page.locator(".thumbs:not(.near) .thumb")).to_have_count(2, timeout=SLOW)
    expect(me.page.locator(".near .thumb")).to_have_count(1, timeout=SLOW)
