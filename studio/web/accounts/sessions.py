"""The signed cookies: whose a browser is, who has logged in with it, and who has ever done so.

The signature is the proof. How old it looks is asked only of logins, where a password gets another one; without a
login the cookie is all that a person has, and a clock that is or was wrong must not take it away.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from studio import limits
from studio.storage.atomic import write_file
from studio.web.accounts.session_ends import SessionEnds
from studio.web.accounts.users import Users

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Proof:
    """What a cookie proves. session: its id, where somebody has logged in; due: the cookie is to be made anew."""

    owner: str
    session: str = ""
    due: bool = False


class Sessions:
    """Makes and reads the cookies. Their names come from the secret: two studios on one host keep theirs apart.

    Logins have a cookie of another name, so that switching logins on and off again costs no browser its own.
    """

    def __init__(self, secret: bytes, users: Users | None = None, ends: SessionEnds | None = None):
        self.users, self.ends, self._secret = users, ends or SessionEnds(), secret
        self.open_name = "triptych_" + hashlib.sha256(secret).hexdigest()[:8]
        self.name = f"{self.open_name}_login" if users else self.open_name
        self._signer, self._devices = self._serializer("triptych.owner"), self._serializer("triptych.device")

    def read(self, cookies: str) -> Proof | None:
        """What a Cookie header proves; None: nothing."""
        if self.users is None:
            return self.read_open(cookies)
        names = (self.name, self.open_name)  # former versions kept a login under the other name
        proofs = (self._logged_in(*signed, name) for name in names for signed in self._signed(cookies, name))
        return next(filter(None, proofs), None)

    def read_open(self, cookies: str) -> Proof | None:
        """The owner that this browser is, or was before there were logins."""
        for value, signed in self._signed(cookies, self.open_name):
            if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and value[1] is None:
                owner = self.ends.became(value[0])
                moved = owner != value[0] or abs(time.time() - signed) > limits.RENEW_SECONDS
                return Proof(owner, due=moved)
        return None

    def cookie(self, owner: str, secure: bool, session: str = "") -> str:
        """The Set-Cookie value for an owner; where there are logins, of that session or of a new one."""
        if self.users is None:
            return _set_cookie(self.open_name, self._dumps(owner, None), limits.SESSION_SECONDS, secure)
        value = self._dumps(owner, self._stamp(owner), session or secrets.token_hex(16))
        return _set_cookie(self.name, value, limits.LOGIN_SECONDS, secure)

    def forget(self, secure: bool) -> str:
        """The Set-Cookie value that removes the cookie."""
        return _set_cookie(self.name, "", 0, secure)

    def knows_device(self, cookies: str, name: str) -> str:
        """An id of this browser, if `name` has logged in with it before, and ""."""
        for value, _ in self._signed(cookies, self._device_name(name), self._devices):
            if isinstance(value, list) and len(value) == 2 and value[0] == name:
                return str(value[1])
        return ""

    def device_cookie(self, name: str, secure: bool) -> str:
        """Given with a login. It opens nothing: tries of a browser that has it are counted by themselves."""
        value = str(self._devices.dumps([name, secrets.token_hex(8)]))
        return _set_cookie(self._device_name(name), value, limits.SESSION_SECONDS, secure)

    def _device_name(self, name: str) -> str:
        return f"{self.open_name}_device_{self._keyed(name)[:8]}"

    def _serializer(self, salt: str) -> URLSafeTimedSerializer:
        options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeTimedSerializer(self._secret, salt=salt, signer_kwargs=options)

    def _dumps(self, *values: str | None) -> str:
        return str(self._signer.dumps(list(values)))

    def _signed(
        self, cookies: str, name: str, signer: URLSafeTimedSerializer | None = None
    ) -> Iterator[tuple[object, float]]:
        """What was signed, and when, of every cookie of that name."""
        for text in _values(cookies, name):
            try:
                value, at = (signer or self._signer).loads(text, return_timestamp=True)
            except BadData:
                continue
            yield value, at.timestamp()

    def _logged_in(self, value: object, signed: float, name: str) -> Proof | None:
        """A cookie from before a password changed, or from before its end, proves nothing; one of no user neither."""
        if not (isinstance(value, list) and len(value) in (2, 3) and all(isinstance(part, str) for part in value)):
            return None
        owner, stamp, session = (*value, "")[:3]
        age = time.time() - signed
        if age > limits.LOGIN_SECONDS or self.ends.ended(session) or stamp != self._stamp(owner):
            return None
        return Proof(owner, session, age > limits.LOGIN_RENEW_SECONDS or name != self.name)

    def _stamp(self, owner: str) -> str | None:
        """Changes with the user's password, and when all sessions are ended; keyed, as people can read cookies."""
        kept, epoch = self.users.kept(owner) if self.users else None, self.ends.epoch(owner)
        return None if kept is None else self._keyed(f"{kept}\0{epoch}" if epoch else kept)[:16]

    def _keyed(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(errors="surrogatepass"), "sha256").hexdigest()


def load_secret(folder: Path) -> bytes:
    """What signs the cookies, made at the first start, readable by the user alone. Raises ValueError for one that
    could be guessed, as half a file is after a power cut or a full disk."""
    path = folder / "secret"
    if not path.exists():
        write_file(path, secrets.token_bytes(SECRET_BYTES), mode=0o600)
    secret = path.read_bytes()
    if len(secret) < SECRET_BYTES:
        raise ValueError(
            f"the file {path} has {len(secret)} bytes instead of {SECRET_BYTES}, so anybody could forge the cookies: "
            "put it back from a backup, or delete it and start again (browsers without a login then begin with an "
            "empty gallery, and `python -m studio.web.accounts.owners` gives them theirs back)"
        )
    return secret


def _set_cookie(name: str, value: str, seconds: int, secure: bool) -> str:
    flags = "; Secure" if secure else ""
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{flags}"


def _values(cookies: str, name: str) -> list[str]:
    """Of every cookie of that name. The parser of the standard library stops at the first odd cookie, and programs on
    other ports of this host may have set odd ones."""
    pairs = (part.partition("=") for part in cookies.split(";"))
    return [value.strip().strip('"') for key, _, value in pairs if key.strip() == name]
