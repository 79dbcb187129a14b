"""Domain error -> code, HTTP status, field, one plain sentence for a person."""

from __future__ import annotations

import json
import logging
import sqlite3

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from pipelines.errors import InvalidRequest, TooMany, TriptychError
from pipelines.requests import SpeechRequest, bounds
from studio import limits
from studio.storage.unwritable import explained
from studio.web.accounts.auth import NotLoggedIn

log = logging.getLogger(__name__)

STATUS = {
    "invalid": 422,
    "unknown_model": 422,
    "model_unavailable": 409,
    "bad_upload": 422,
    "too_large": 422,
    "out_of_memory": 503,
    "worker_lost": 503,
    "not_found": 404,
    "not_allowed": 409,
    "no_room": 507,
    "too_many": 429,
    "busy": 503,
    "unwritable": 507,
}
_FIELD = {"unknown_model": "model", "model_unavailable": "model", "bad_upload": "picture"}
_MOST = int(bounds(SpeechRequest, "text")["max_length"])
SENTENCES = {
    404: ("not_found", "There is nothing at this address."),
    405: ("not_allowed", "This address does not take that method."),
    413: (
        "too_long",
        f"The request is longer than allowed: a text to be spoken has at most {_MOST:,} characters, "
        f"a file at most {limits.UPLOAD_BYTES // limits.MIB} MB.",
    ),
}
UNFORESEEN = "Something went wrong in the studio. What it was is in its log."


REFUSAL = {
    "description": "What was wrong, in one sentence for a person.",
    "content": {"application/json": {"schema": {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["code", "field", "message"],
            "properties": {
                "code": {"type": "string"},
                "field": {"type": ["string", "null"]},
                "message": {"type": "string"},
            },
        }},
    }}},
}  # fmt: skip


class Answer(JSONResponse):
    """JSON that can always be written: files of others hold halves of characters."""

    def render(self, content: object) -> bytes:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def error_response(status: int, code: str, message: str, field: str | None = None) -> JSONResponse:
    """The one shape of every refusal."""
    return Answer({"error": {"code": code, "field": field, "message": message}}, status)


def handle_errors(app: FastAPI) -> None:
    """No traceback and no path ever leaves the studio."""
    app.exception_handler(TriptychError)(_domain)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(NotLoggedIn)(_login)
    app.exception_handler(OSError)(_unwritten)
    app.exception_handler(sqlite3.Error)(_unwritten)
    app.exception_handler(Exception)(_unforeseen)


def _domain(_: Request, error: TriptychError) -> JSONResponse:
    field = error.field if isinstance(error, InvalidRequest) else _FIELD.get(error.code)
    response = error_response(STATUS.get(error.code, 500), error.code, str(error), field)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    field = str(first["loc"][-1])
    allowed = first["msg"].removeprefix("Input should be ")
    return _domain(_, InvalidRequest(field, first.get("input"), allowed[:1].lower() + allowed[1:]))


def _http(_: Request, error: HTTPException) -> JSONResponse:
    code, message = SENTENCES.get(error.status_code, ("refused", "The request could not be understood."))
    return error_response(error.status_code, code, message)


def _login(_: Request, error: NotLoggedIn) -> JSONResponse:
    return error_response(401, "login", str(error))


def _unwritten(_: Request, error: Exception) -> JSONResponse:
    """Wherever a disk was full: while a body was read, a picture stored, a row written."""
    known = explained(error)
    if known is None:
        return _unforeseen(_, error)
    log.warning("%s (%s)", known, error)
    return _domain(_, known)


def _unforeseen(_: Request, error: Exception) -> JSONResponse:
    log.error("Unforeseen", exc_info=error)
    return error_response(500, "error", UNFORESEEN)
