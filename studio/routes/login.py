"""The login page, for studios that ask for one."""

from __future__ import annotations

import html
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from studio.auth import is_secure
from studio.context import Here

router = APIRouter(include_in_schema=False)
_PAGE = Path(__file__).with_name("login.html")
_WORDS = {
    "en": {
        "title": "Log in",
        "name": "Name",
        "password": "Password",
        "go": "Log in",
        "wrong": "Name and password do not belong together.",
        "wait": "Too many tries. Wait {seconds} seconds and try again.",
    },
    "zh-CN": {
        "title": "登录",
        "name": "用户名",
        "password": "密码",
        "go": "登录",
        "wrong": "用户名或密码不正确。",
        "wait": "尝试次数过多，请等待 {seconds} 秒后再试。",
    },
}


@router.get("/login")
def form(request: Request, studio: Here) -> Response:
    return _page(request) if studio.sessions.users else RedirectResponse("/", 303)


@router.post("/login")
async def login(request: Request, studio: Here) -> Response:
    """Passwords are compared off the event loop: a good hash takes its time."""
    users, guard = studio.sessions.users, request.app.state.guard
    if users is None:
        return RedirectResponse("/", 303)
    address = request.client.host if request.client else ""
    fields = await request.form()
    if (wait := guard.wait(address)) > 0:
        return _page(request, "wait", 429, seconds=int(wait) + 1)
    guard.failed(address)  # until it is known: many tries at once are as many
    name, password = str(fields.get("name", "")), str(fields.get("password", ""))
    if not await run_in_threadpool(users.accepts, name, password):
        return _page(request, "wrong", 401)
    guard.passed(address)
    cookie = studio.sessions.cookie(name, is_secure(request.scope))
    return RedirectResponse("/", 303, headers={"Set-Cookie": cookie})


@router.post("/logout")
def logout(request: Request, studio: Here) -> Response:
    if studio.sessions.users is None:  # the cookie is all that a person has to prove what is theirs
        return RedirectResponse("/", 303)
    return RedirectResponse("/login", 303, headers={"Set-Cookie": studio.sessions.forget(is_secure(request.scope))})


def _page(request: Request, problem: str = "", status: int = 200, **numbers: int) -> Response:
    language = _language(request)
    words = _WORDS[language]
    said = words[problem].format(**numbers) if problem else ""
    page = _PAGE.read_text("utf-8")
    for name, value in {**words, "language": language, "problem": said}.items():
        page = page.replace(f"{{{{{name}}}}}", html.escape(value))
    return HTMLResponse(page, status, headers={"Cache-Control": "no-store"})


def _language(request: Request) -> str:
    wanted = request.cookies.get("triptych_language") or request.headers.get("accept-language", "")
    return "zh-CN" if wanted.lower().startswith("zh") else "en"
