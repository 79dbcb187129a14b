"""One's own gallery: what is in it, and how it comes into another browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from pipelines.errors import NotAllowed, TooMany
from studio import limits
from studio.web.accounts.attempts import network
from studio.web.accounts.auth import header, is_secure
from studio.web.accounts.owner_list import OwnerUsage, kept_by
from studio.web.accounts.transfer import Codes, move
from studio.web.context import Here, Owner, Studio

router = APIRouter(prefix="/api/owner", tags=["owner"])
LOGIN = "Where people log in, nothing needs to be moved: log in with your name in the other browser."
BUSY = "What this browser keeps is still being worked on: wait for its jobs and batches, or cancel them first."
BRING = "This browser keeps something itself: say whether it comes along (bring: true) or stays behind (bring: false)."
OWN = "This browser has that gallery already."
NOTHING = "This browser keeps nothing from before there were logins."


@router.get("")
def owner(studio: Here, owner: Owner, request: Request) -> dict:
    """What one keeps and may keep. before: what this browser keeps from before there were logins."""
    login, before = studio.sessions.users is not None, kept_before(studio, request)
    return {
        "name": owner if login else owner[:8],
        "login": login,
        "keeps": view(kept_by(studio.store, owner)),
        "allowed": {"bytes": studio.engine.quotas.most.bytes, "files": studio.engine.quotas.most.files},
        "before": view(before) if before else None,
    }


@router.post("/code", status_code=201)
def code(studio: Here, owner: Owner, request: Request) -> dict:
    """A code that opens this gallery in one other browser, once, within some minutes."""
    code = made_code(studio, owner)
    return {"code": code, "url": f"{request.base_url}owner#{code}", "seconds": limits.CODE_SECONDS}


@router.post("/take")
def take(
    studio: Here,
    owner: Owner,
    request: Request,
    response: Response,
    code: Annotated[str, Body(max_length=100)],
    bring: Annotated[bool | None, Body()] = None,
) -> dict:
    """The gallery that a code opens becomes this browser's, or, where people log in, this user's.

    bring: whether what this browser keeps comes along; needed where it keeps something. Where it stays behind, `back`
    is a code for it.
    """
    whose, back = taken(studio, owner, request, code, bring)
    if studio.sessions.users is None:
        response.headers["Set-Cookie"] = studio.sessions.cookie(whose, is_secure(request.scope))
    return {"keeps": view(kept_by(studio.store, whose)), "back": back}


@router.post("/claim")
def claim(studio: Here, owner: Owner, request: Request) -> dict:
    """What this browser keeps from before there were logins becomes the user's."""
    claimed(studio, owner, request)
    return {"keeps": view(kept_by(studio.store, owner))}


def view(kept: OwnerUsage) -> dict:
    return {name: value for name, value in asdict(kept).items() if name not in ("owner", "last")}


def kept_before(studio: Studio, request: Request) -> OwnerUsage | None:
    """What this browser kept before there were logins, if that is anything."""
    proof = studio.sessions.read_open(header(request.scope, b"cookie")) if studio.sessions.users else None
    kept = kept_by(studio.store, proof.owner) if proof else None
    return kept if kept and kept.anything else None


def made_code(studio: Studio, owner: str) -> str:
    """Raises NotAllowed where people log in."""
    if studio.sessions.users is not None:
        raise NotAllowed(LOGIN)
    return Codes(studio.store).make(owner)


def taken(studio: Studio, owner: str, request: Request, code: str, bring: bool | None) -> tuple[str, str | None]:
    """Whose this browser is now, and a code for what it has left behind. Raises TooMany, NotFound, NotAllowed."""
    address = network(request.client.host) if request.client else ""
    if wait := request.app.state.code_tries.take(address):
        seconds = int(wait) + 1
        raise TooMany(f"Too many codes were tried. Try again in {seconds} seconds.", seconds)
    login = studio.sessions.users is not None
    something = not login and kept_by(studio.store, owner).anything
    if something and bring is None:
        raise NotAllowed(BRING)
    if something and bring:
        with _at_rest(studio, owner):
            pass  # before the code is used up
    whose = Codes(studio.store).take(code)
    if whose == owner:
        raise NotAllowed(OWN)
    if login:
        _move(studio, whose, owner, follow=False)
        return owner, None
    if something and bring:
        _move(studio, owner, whose, follow=True)
    return whose, made_code(studio, owner) if something and not bring else None


def claimed(studio: Studio, owner: str, request: Request) -> None:
    """Raises NotAllowed."""
    before = kept_before(studio, request)
    if before is None:
        raise NotAllowed(NOTHING)
    _move(studio, before.owner, owner, follow=False)


def _move(studio: Studio, old: str, new: str, follow: bool) -> None:
    move(studio.settings.data_dir, studio.store, old, new, lambda owner: _at_rest(studio, owner), follow)
    studio.sessions.ends.reload()
    studio.search.renew()
    if studio.upkeep:
        studio.upkeep.wake()


@contextmanager
def _at_rest(studio: Studio, owner: str) -> Iterator[None]:
    """Nothing of the owner's is in line, and nothing comes into it meanwhile. Raises NotAllowed."""
    with studio.engine.at_rest(owner) as rests:
        if not rests or any(batch.running for batch in studio.batches.rows.of(owner)):
            raise NotAllowed(BUSY)
        yield
