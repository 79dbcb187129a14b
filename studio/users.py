"""Names and passwords, from a flag or a file. `python -m studio.users NAME` prints a line for the file."""

from __future__ import annotations

import getpass
import hashlib
import hmac
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from studio import limits

_COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MB and some 50 ms (RFC 7914, section 2)


class Users:
    """Who may log in. `passwords` maps a name to a plain password or to a line that `hashed` made."""

    def __init__(self, passwords: Mapping[str, str]):
        self._passwords = dict(passwords)
        self._nobody = hashed(secrets.token_hex(8))

    def accepts(self, name: str, password: str) -> bool:
        """Takes as long for an unknown name as for a wrong password."""
        return _matches(self._passwords.get(name, self._nobody), password) and name in self._passwords

    def kept(self, name: str) -> str | None:
        """What is kept of the password, for telling whether it has changed; None for an unknown name."""
        return self._passwords.get(name)


def load(auth: str | None, file: Path | None) -> Users | None:
    """The users of `--auth name:password` and of a file; None when there are neither. Raises ValueError, OSError."""
    lines = [auth] if auth else []
    if file:
        lines += [line.strip() for line in file.read_text("utf-8").splitlines()]
    pairs = [line.partition(":") for line in lines if line and not line.startswith("#")]
    wrong = next((i for i, (name, _, password) in enumerate(pairs, 1) if not (name and password)), None)
    if wrong:
        raise ValueError(f"user {wrong} in the file of users is not written as name:password")
    if file and not pairs:
        raise ValueError("the file of users is empty")
    return Users({name: password for name, _, password in pairs}) if pairs else None


def hashed(password: str) -> str:
    """`scrypt$<salt>$<hash>`, both hexadecimal."""
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt).hex()}"


def _matches(kept: str, password: str) -> bool:
    kind, _, rest = kept.partition("$")
    salt, _, digest = rest.partition("$")
    if kind == "scrypt" and salt and digest:
        return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)).hex(), digest)
    return hmac.compare_digest(kept.encode(), password.encode())


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)


class Guard:
    """Counts wrong passwords by address, and says how long an address has to wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._failures: dict[str, list[float]] = {}

    def wait(self, address: str) -> float:
        """Seconds until the address may try again; 0 when it may now."""
        recent = self._recent(address)
        return 0.0 if len(recent) < limits.LOGIN_TRIES else recent[0] + limits.LOGIN_WAIT_SECONDS - self._clock()

    def passed(self, address: str) -> None:
        """The last try was right; those before it count on."""
        self._failures[address] = self._recent(address)[:-1]

    def failed(self, address: str) -> None:
        self._failures[address] = [*self._recent(address), self._clock()]
        if len(self._failures) > 10_000:
            self._failures = {key: times for key in self._failures if (times := self._recent(key))}

    def _recent(self, address: str) -> list[float]:
        since = self._clock() - limits.LOGIN_WAIT_SECONDS
        return [at for at in self._failures.get(address, ()) if at > since]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m studio.users NAME")
    print(f"{sys.argv[1]}:{hashed(getpass.getpass())}")
