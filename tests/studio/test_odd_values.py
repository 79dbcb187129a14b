"""Every address with values that nobody means: each gets an answer, and none is an error of ours."""

from __future__ import annotations

import re
from itertools import product

ODD = ("%00", "%ff%fe", "..%2f..%2fx", "%ed%a0%80", "9" * 400, "NaN", "1e999", "a" * 5000)
BODIES = (b'{"ids": ["\\u0000"], "numbers": [0]}', b'{"text": "\\u0000", "picture": "x", "labels": ["\\u0000"]}',
          b"null", b"[]")  # fmt: skip
JSON = {"content-type": "application/json"}


def test_no_value_in_an_address_or_a_body_is_an_error_of_ours(browser):
    client, tried = browser(), 0
    client.get("/api/status")
    for path, ways in client.get("/api/openapi.json").json()["paths"].items():
        for (method, way), odd in product(ways.items(), ODD):
            given = "&".join(f"{one['name']}={odd}" for one in way.get("parameters", ()) if one["in"] == "query")
            address = f"{re.sub(r'{[^}]*}', odd, path)}?{given}"
            for body in (None,) if method in ("get", "delete") else BODIES:
                answer = client.request(method, address, content=body, headers=JSON if body else {})
                assert answer.status_code < 500, (method, address[:200], body, answer.text)
                tried += 1
    assert tried > 300


def test_a_search_by_what_is_no_picture_is_a_sentence(browser):
    for picture in ("x", "A" * 64, "0" * 63, "%00"):
        answer = browser().get(f"/api/search?picture={picture}")
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, "pictures.0")
        assert "pattern" not in answer.text
