"""The web application: guards, routes, and the page. It never imports torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from pipelines.errors import NotFound
from studio import limits
from studio.quotas.buckets import Buckets
from studio.settings import Settings
from studio.web.accounts.attempts import Attempts
from studio.web.accounts.auth import OwnerMiddleware
from studio.web.accounts.last_seen import LastSeen
from studio.web.accounts.newcomers import Newcomers
from studio.web.accounts.turns import Turns
from studio.web.bodies import Bodies
from studio.web.context import Studio
from studio.web.errors import REFUSAL, Answer, handle_errors
from studio.web.routes import (
    alignment,
    captions,
    gallery,
    jobs,
    live,
    login,
    machine,
    owner,
    owner_page,
    search,
    sketches,
    speech,
    uploads,
)
from studio.web.security import LOCAL_NAMES, LengthSentence, SameOrigin, SecurityHeaders


def create_api(studio: Studio) -> FastAPI:
    """The application without the page."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.turns.close()
        await studio.close()

    app = FastAPI(
        title="Triptych",
        version="0.1.0",
        lifespan=life,
        docs_url=None,  # that page takes its scripts from another host
        redoc_url=None,
        openapi_url="/api/openapi.json",
        default_response_class=Answer,
        responses={"4XX": REFUSAL},
        form_limits={
            "max_files": limits.FORM_PARTS,
            "max_fields": limits.FORM_PARTS,
            "max_part_size": limits.FORM_FIELD_BYTES,
        },
    )
    app.state.studio, app.state.attempts, app.state.turns = studio, Attempts(), Turns()
    app.state.code_tries = Buckets(limits.CODE_TRIES_AT_ONCE, limits.CODE_TRIES_PER_SECOND)
    app.state.watching = Counter()  # live connections by owner
    handle_errors(app)
    for routes in (jobs, sketches, gallery, search, speech, captions, alignment, uploads, machine, live, login, owner,
                   owner_page):  # fmt: skip
        app.include_router(routes.router)
    app.add_api_route("/api/{rest:path}", _nothing, include_in_schema=False)
    _add_guards(app, studio)
    return app


def _add_guards(app: FastAPI, studio: Studio) -> None:
    """The last one added is the first one asked."""
    settings = studio.settings
    app.add_middleware(Bodies)
    app.add_middleware(
        OwnerMiddleware, sessions=studio.sessions, newcomers=Newcomers(studio.store.knows), seen=LastSeen(studio.store)
    )
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=limits.BODY_BYTES)
    app.add_middleware(LengthSentence)
    app.add_middleware(SameOrigin, hosts=_hosts(settings), origins=settings.origins)
    app.add_middleware(SecurityHeaders)


def _hosts(settings: Settings) -> tuple[str, ...]:
    """The Host names to answer to while only this machine can reach us; empty: any."""
    if not settings.local:
        return ()
    return (*LOCAL_NAMES, settings.host, *(urlsplit(origin).hostname or "" for origin in settings.origins))


def _nothing(rest: str) -> None:
    raise NotFound("There is nothing at this address.")
