"""The page about one's own gallery: into another browser, here from another one, out of all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from pipelines.errors import TooMany, TriptychError
from studio import limits
from studio.web.accounts.auth import is_secure
from studio.web.accounts.owner_list import OwnerUsage, kept_by
from studio.web.context import Here, Owner, Studio
from studio.web.errors import STATUS
from studio.web.owner_words import WORDS, told
from studio.web.plain_page import language_of, shown
from studio.web.routes import owner as api

router = APIRouter(include_in_schema=False, max_body_size=limits.LOGIN_BYTES)
_PAGE = Path(__file__).with_name("owner.html")


@router.get("/owner")
def page(request: Request, studio: Here, owner: Owner) -> Response:
    return _page(request, studio, owner)


@router.post("/owner/code")
def code(request: Request, studio: Here, owner: Owner) -> Response:
    """The code, shown this once."""
    try:
        return _page(request, studio, owner, code=api.made_code(studio, owner))
    except TriptychError as error:
        return _page(request, studio, owner, error=error)


@router.post("/owner/take")
def take(
    request: Request,
    studio: Here,
    owner: Owner,
    code: Annotated[str, Form(max_length=100)] = "",
    bring: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    try:
        whose, back = api.taken(studio, owner, request, code, {"yes": True, "no": False}.get(bring))
    except TriptychError as error:
        return _page(request, studio, owner, error=error, typed=code)
    answer = _page(request, studio, whose, done="taken", code=back or "")
    if studio.sessions.users is None:
        answer.headers["Set-Cookie"] = studio.sessions.cookie(whose, is_secure(request.scope))
    return answer


@router.post("/owner/claim")
def claim(request: Request, studio: Here, owner: Owner) -> Response:
    try:
        api.claimed(studio, owner, request)
    except TriptychError as error:
        return _page(request, studio, owner, error=error)
    return _page(request, studio, owner, done="taken")


def _page(
    request: Request,
    studio: Studio,
    owner: str,
    error: TriptychError | None = None,
    done: str = "",
    code: str = "",
    typed: str = "",
) -> Response:
    language = language_of(request)
    words, kept, login = WORDS[language], kept_by(studio.store, owner), studio.sessions.users is not None
    before = api.kept_before(studio, request)
    values = {
        **words,
        "language": language,
        "problem": told(error, language) if error else "",
        "done": words[done] if done else "",
        "keeps": _keeps(words, kept, studio.engine.quotas.most.bytes),
        "name": words["as"].format(name=owner) if login else "",
        "mode": "login" if login else "open",
        "before": _keeps(words, before) if before else "",
        "has": "something" if kept.anything else "nothing",
        "code": code,
        "typed": typed,
        "url": f"{request.base_url}owner#{code}" if code else "",
        "code_is": words["back" if done else "works"],
    }
    answer = shown(_PAGE, values, STATUS.get(error.code, 409) if error else 200)
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(error.seconds)
    return answer


def _keeps(words: dict[str, str], kept: OwnerUsage, most: int = 0) -> str:
    counts = [words[name].format(n=f"{n:,}") for name in ("pictures", "recordings", "captions", "batches")
              if (n := getattr(kept, name))]  # fmt: skip
    if not counts:
        return words["empty"]
    size = words["size"].format(used=_gigabytes(kept.bytes), most=_gigabytes(most)) if most else ""
    return words["comma"].join(counts) + size


def _gigabytes(size: int) -> str:
    return f"{size / 2**20:.0f} MB" if size < 2**30 else f"{size / 2**30:.1f} GB".replace(".0 ", " ")
