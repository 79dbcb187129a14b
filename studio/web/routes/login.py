"""The login page, for studios that ask for one."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from studio import limits
from studio.web.accounts.attempts import network
from studio.web.accounts.auth import KEY, SESSION_KEY, header, is_secure
from studio.web.accounts.turns import Busy
from studio.web.context import Here, Studio
from studio.web.errors import error_response
from studio.web.plain_page import language_of, shown

router = APIRouter(include_in_schema=False, max_body_size=limits.LOGIN_BYTES)
BUSY_SECONDS = 2.0
_PAGE = Path(__file__).with_name("login.html")
_WORDS = {
    "en": {
        "title": "Log in",
        "name": "Name",
        "password": "Password",
        "go": "Log in",
        "wrong": "Name and password do not belong together.",
        "wait": "Too many tries. Wait {seconds} seconds and try again.",
        "busy": "Many people are logging in at this moment. Try again in {seconds} seconds.",
    },
    "zh-CN": {
        "title": "登录",
        "name": "用户名",
        "password": "密码",
        "go": "登录",
        "wrong": "用户名或密码不正确。",
        "wait": "尝试次数过多，请等待 {seconds} 秒后再试。",
        "busy": "当前登录的人较多，请在 {seconds} 秒后再试。",
    },
}


@router.get("/login")
def form(request: Request, studio: Here) -> Response:
    return _page(request) if studio.sessions.users else RedirectResponse("/", 303)


@router.post("/login")
async def login(request: Request, studio: Here) -> Response:
    """Passwords are compared off the event loop, few at once: a good hash takes its time, and 16 MB."""
    sessions, attempts = studio.sessions, request.app.state.attempts
    if sessions.users is None:
        return RedirectResponse("/", 303)
    if "form-urlencoded" not in request.headers.get("content-type", ""):
        return error_response(415, "invalid", "Send name and password as a form does (x-www-form-urlencoded).")
    fields = await request.form(max_fields=10)
    name, password = str(fields.get("name", "")), str(fields.get("password", ""))
    address = request.client.host if request.client else ""
    device = sessions.knows_device(header(request.scope, b"cookie"), name)
    if (wait := attempts.wait(name, address, device)) > 0:
        return _later(request, "wait", 429, wait)
    attempts.failed(name, address, device)  # until it is known: many tries at once are as many
    try:
        right = await request.app.state.turns.run(
            f"device {device}" if device else network(address), sessions.users.accepts, name, password
        )
    except Busy:
        attempts.passed(name, address, device)
        return _later(request, "busy", 503, BUSY_SECONDS)
    if not right:
        return _page(request, "wrong", 401)
    attempts.passed(name, address, device)
    return _welcome(studio, name, is_secure(request.scope), known=bool(device))


def _welcome(studio: Studio, name: str, secure: bool, known: bool) -> Response:
    response = RedirectResponse("/", 303)
    response.headers.append("Set-Cookie", studio.sessions.cookie(name, secure))
    if not known:
        response.headers.append("Set-Cookie", studio.sessions.device_cookie(name, secure))
    return response


@router.post("/logout")
def logout(request: Request, studio: Here, everywhere: bool = False) -> Response:
    """The session is over on the server, too; `everywhere`: all sessions of this user."""
    sessions = studio.sessions
    if sessions.users is None:  # the cookie is all that a person has to prove what is theirs
        return RedirectResponse("/", 303)
    owner, session = request.scope.get(KEY), request.scope.get(SESSION_KEY, "")
    if owner and everywhere:
        sessions.ends.end_all(owner)
    elif owner:
        sessions.ends.end(owner, session)
    return RedirectResponse("/login", 303, headers={"Set-Cookie": sessions.forget(is_secure(request.scope))})


def _later(request: Request, problem: str, status: int, seconds: float) -> Response:
    page = _page(request, problem, status, seconds=int(seconds) + 1)
    page.headers["Retry-After"] = str(int(seconds) + 1)
    return page


def _page(request: Request, problem: str = "", status: int = 200, **numbers: int) -> HTMLResponse:
    language = language_of(request)
    words = _WORDS[language]
    said = words[problem].format(**numbers) if problem else ""
    return shown(_PAGE, {**words, "language": language, "problem": said}, status)
