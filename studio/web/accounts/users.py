"""Names and passwords, from a flag or a file. `python -m studio.web.accounts.users NAME` prints a line for the file."""

from __future__ import annotations

import getpass
import hashlib
import hmac
import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

_COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MB and some 50 ms (RFC 7914, section 2)
_HASHED = re.compile(r"scrypt\$((?:[0-9a-f]{2})+)\$([0-9a-f]{128})")


class Users:
    """Who may log in. `passwords` maps a name to a plain password or to a line that `hashed` made."""

    def __init__(self, passwords: Mapping[str, str]):
        self._passwords = dict(passwords)
        self._nobody = hashed(secrets.token_hex(8))

    def accepts(self, name: str, password: str) -> bool:
        """One scrypt whatever comes: a name that is not known, or whose password is kept plain, takes no other time.

        Plain ones are not hashed at the start: for a thousand users that would take a minute.
        """
        kept = self._passwords.get(name, self._nobody)
        parts = _HASHED.fullmatch(kept)
        salt, digest = parts.groups() if parts else ("00" * 16, "")
        hashes = hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)).hex(), digest)
        plain = hmac.compare_digest(_bytes(kept), _bytes(password))
        return (hashes if parts else plain) and name in self._passwords

    def kept(self, name: str) -> str | None:
        """What is kept of the password, for telling whether it has changed; None for an unknown name."""
        return self._passwords.get(name)


def load(auth: str | None, file: Path | None) -> Users | None:
    """The users of `--auth name:password` and of a file; None when there are neither. Raises ValueError, OSError."""
    lines = [auth] if auth else []
    if file:
        lines += [line.strip() for line in _text(file).splitlines()]
    pairs = [line.partition(":") for line in lines if line and not line.startswith("#")]
    for number, (name, _, password) in enumerate(pairs, 1):
        if not (name and password):
            raise ValueError(f"user {number} in the file of users is not written as name:password")
        if password.startswith("scrypt$") and not _HASHED.fullmatch(password):
            raise ValueError(
                f"the hashed password of user {number} in the file of users is damaged: make it anew with "
                "`python -m studio.web.accounts.users NAME`"
            )
    if file and not pairs:
        raise ValueError("the file of users is empty")
    return Users({name: password for name, _, password in pairs}) if pairs else None


def hashed(password: str) -> str:
    """`scrypt$<salt>$<hash>`, both hexadecimal."""
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt).hex()}"


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")  # editors of Windows put a mark before the first name
    except UnicodeDecodeError as error:
        raise ValueError("the file of users is not UTF-8 text") from error


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(_bytes(password), salt=salt, **_COST)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m studio.web.accounts.users NAME")
    print(f"{sys.argv[1]}:{hashed(getpass.getpass())}")
