"""Bodies of every kind that no page of ours sends: refused in one sentence, in a moment, and nothing is decoded."""

from __future__ import annotations

import asyncio
import codecs
import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import InvalidRequest
from studio import limits
from studio.web import json_body
from studio.web.bodies import Bodies
from tests.studio.web.test_refusals import refused

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5), max_leaves=20,
)  # fmt: skip


@settings(deadline=None, database=None)
@given(VALUES)
def test_what_is_within_bounds_is_read_as_ever(value):
    assert json_body.parse(json.dumps(value).encode()) == value


@settings(deadline=None, database=None)
@given(st.binary(max_size=200) | st.text('[]{}",:0123456789.eE-+\\ud8aNtrueInfity ', max_size=200).map(str.encode))
def test_anything_else_is_a_sentence(body):
    with suppress(InvalidRequest):
        json.dumps(json_body.parse(body), allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a": 1, "a": 2}', "a: got 'two values'"),
        (b'{"seed": %s}' % (b"9" * 5000), "5,000 digits"),
        (b'{"seed": 9223372036854775808}', "64 bits"),
        (b'{"x": 1e999}', "finite"),
        (b'{"x": NaN}', "finite"),
        (b'{"x": -Infinity}', "finite"),
        (b'{"x": 0.%s}' % (b"1" * 5000), "400 digits"),
        (b'{"prompt": "\\ud83d"}', "prompt: got 'half a character'"),
        (b'{"\\ud83d": 1}', "whole"),
        (b'"\xed\xa0\x80"', "UTF-8"),
        (b'"\xff"', "UTF-8"),
        ('"x"'.encode("utf-16"), "UTF-8"),
        (b"[" * 100_000, "within"),
        (b"[" * 20 + b"]" * 20, "within"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "within"),
        (b'{"%s": 1}' % (b"x" * 101), "101 characters"),
        (b"{" + b",".join(b'"k%d":1' % i for i in range(61)) + b"}", "61 names"),
        (b"[" + b"0," * 100_000 + b"0]", "values"),
        (b"{" + b",".join(b'"k%d":1' % i for i in range(350_000)) + b"}", "values"),
    ],
)
def test_what_is_out_of_bounds_is_named(browser, body, said):
    answer = browser().post("/api/sketches", content=body, headers={"content-type": "application/json"})
    assert said in refused(answer)["message"]
    assert len(answer.text) < 500
    for path in ("/api/jobs/order", "/api/batches", "/api/alignment/labels"):
        assert (
            said in refused(browser().post(path, content=body, headers={"content-type": "application/json"}))["message"]
        )


def test_a_whole_emoji_is_no_half():
    assert json_body.parse(b'{"prompt": "\\ud83d\\ude00"}') == {"prompt": "\U0001f600"}


def test_a_longer_body_is_read_off_the_event_loop(monkeypatch):
    loops: list[bool] = []
    real = json_body.parse

    def parse(body):
        try:
            asyncio.get_running_loop()
            loops.append(True)
        except RuntimeError:
            loops.append(False)
        return real(body)

    monkeypatch.setattr(json_body, "parse", parse)
    for length in (10, 2**20):
        asyncio.run(sent([json.dumps("x" * length).encode()], b"application/json"))
    assert loops == [True, False]


@pytest.mark.parametrize("name", ["punycode", "utf-7", "unicode_escape", "idna", "undefined", "latin-1", "utf-16",
                                  "raw_unicode_escape", "zip", "x", "utf-8-sig", '"punycode"'])  # fmt: skip
@pytest.mark.parametrize("path", ["/login", "/api/text", "/api/info", "/api/uploads", "/api/batches/x/files"])
def test_a_form_in_another_charset_is_not_decoded(browser, monkeypatch, path, name):
    client, asked, real = browser(auth="a:b"), [], codecs.lookup
    monkeypatch.setattr("starlette.formparsers.codecs.lookup", lambda name: asked.append(name) or real(name))
    body = b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n--B--\r\n'
    for kind in ("multipart/form-data; boundary=B", "application/x-www-form-urlencoded", "application/json"):
        answer = client.post(path, content=body, headers={"content-type": f"{kind}; Charset={name}"})
        assert answer.status_code in (401, 415), kind
    assert asked == []


@pytest.mark.parametrize(
    "headers",
    [
        [("content-type", "application/json"), ("content-type", "multipart/form-data; boundary=B")],
        [("content-encoding", "gzip")],
        [("content-encoding", "br, identity")],
        [("content-type", "multipart/form-data")],
        [("content-type", "multipart/form-data; boundary=")],
        [("content-type", "multipart/form-data; boundary=" + "x" * 71)],
        [("content-type", "multipart/form-data; boundary*=utf-8''B")],
    ],
)
def test_headers_that_nobody_needs(browser, headers):
    answer = browser().post("/api/uploads", content=b"{}", headers=headers)
    assert refused(answer, 415)["message"].startswith("Content-")


@pytest.mark.parametrize(
    "kind", ["", ";", "a;b;c=", "\xff/\xfe", "multipart/mixed; boundary=x", "x" * 5000, "text/plain"]
)
def test_odd_content_types_are_no_error_of_ours(browser, kind):
    client = browser()
    for path in ("/api/jobs", "/api/uploads", "/api/sketches", "/api/jobs/order"):
        answer = client.post(path, content=b'{"a": 1}', headers={"content-type": kind.encode("latin-1")})
        assert 400 <= answer.status_code < 500, answer.text


def form(parts: int, file: bool, size: int = 1) -> bytes:
    name = b'name="a%d"; filename="x"' if file else b'name="a%d"'
    head = b"--B\r\nContent-Disposition: form-data; " + name + b"\r\n\r\n" + b"x" * size + b"\r\n"
    return b"".join(head % i for i in range(parts)) + b"--B--\r\n"


@pytest.mark.parametrize("body", [form(1000, True), form(1000, False), form(1, False, 2**20), b"--B\r\n" * 10_000,
                                  b"\r\n--" * 100_000, b"", b"--B--", b"--B\r\n" + b"a: b\r\n" * 10_000])  # fmt: skip
def test_forms_of_many_parts_or_of_none(browser, body):
    for path in ("/api/uploads", "/api/batches/x/files", "/api/text"):
        answer = browser().post(path, content=body, headers={"content-type": "multipart/form-data; boundary=B"})
        assert answer.status_code in (400, 404, 422), answer.text
        assert answer.json()["error"]["message"]


async def sent(chunks: list[bytes], kind: bytes, stall: bool = False) -> list[dict]:
    """What the middleware answers to these chunks; stall: and then to nothing more."""
    waiting, answers = [*chunks], []

    async def receive() -> dict:
        if not waiting and stall:
            await asyncio.Event().wait()
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting) or stall}

    async def send(message: dict) -> None:
        answers.append(message)

    async def app(scope, receive, send) -> None:
        try:
            while (await receive()).get("more_body"):
                pass
        except Exception:  # as frameworks do
            await send({"type": "http.response.start", "status": 400, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    await Bodies(app)({"type": "http", "headers": [(b"content-type", kind)]}, receive, send)
    return answers


@pytest.mark.parametrize("kind", [b"application/json", b"multipart/form-data; boundary=B"])
def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch, kind):
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.05)
    start, _ = asyncio.run(asyncio.wait_for(sent([b"x" * 100], kind, stall=True), 10))
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
