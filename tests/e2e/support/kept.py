"""What the browser remembers of a form. Gradio writes it a moment after the last key: a reload has to wait for it."""

from __future__ import annotations

import base64
import hashlib
import json

from playwright.sync_api import Page

from tests.e2e.support.visitor import SLOW

SECRET = hashlib.sha256(b"triptych").hexdigest().encode()  # as Gradio's BrowserState makes it of `secret`
OPEN = """async ([key, iv, data]) => {
    const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    const secret = await crypto.subtle.importKey("raw", bytes(key), "AES-CBC", false, ["decrypt"]);
    const plain = await crypto.subtle.decrypt({ name: "AES-CBC", iv: bytes(iv) }, secret, bytes(data));
    return new TextDecoder().decode(plain);
}"""


def until_kept(page: Page, form: str, **values: object) -> None:
    """Returns when the browser remembers these values of the form."""
    for _ in range(SLOW // 50):
        known = kept(page, form)
        if all(known.get(name) == value for name, value in values.items()):
            return
        page.wait_for_timeout(50)
    raise AssertionError((values, kept(page, form)))


def kept(page: Page, form: str) -> dict:
    written = page.evaluate("(key) => localStorage.getItem(key)", f"triptych.{form}")
    if not written:
        return {}
    data = base64.b64decode(written.partition(":")[2])  # in the format of OpenSSL: "Salted__", the salt, the rest
    key, iv = _key(data[8:16])
    return json.loads(page.evaluate(OPEN, [base64.b64encode(part).decode() for part in (key, iv, data[16:])]))


def _key(salt: bytes) -> tuple[bytes, bytes]:
    """EVP_BytesToKey with MD5, for AES-256-CBC."""
    made = block = b""
    while len(made) < 48:
        block = hashlib.md5(block + SECRET + salt).digest()
        made += block
    return made[:32], made[32:48]
