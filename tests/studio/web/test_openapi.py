"""The API as its own schema describes it: whatever is sent, what comes back is what the schema says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from starlette.testclient import TestClient

from studio.web.api import create_api
from studio.web.context import Studio

HERE = "http://127.0.0.1"
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
BRIEF = settings(
    max_examples=4, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def app(idle: Callable[..., Studio]) -> Any:
    return create_api(idle())


def test_whatever_is_asked_the_answer_is_what_the_schema_says(app: Any) -> None:
    headers = {"Host": "127.0.0.1", "Cookie": _cookie(app)}
    tried = 0
    for result in openapi.from_asgi("/api/openapi.json", app, headers=headers).get_all_operations():
        _try(result.ok(), headers)
        tried += 1
    assert tried > 10


def _cookie(app: Any) -> str:
    """Everything is asked by one owner, so that jobs made by one call are met by the next."""
    answer = TestClient(app, base_url=HERE).get("/api/status")
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


def _try(operation: APIOperation, headers: dict[str, str]) -> None:
    @BRIEF
    @given(case=operation.as_strategy())
    def answered(case: Case) -> None:
        case.call_and_validate(base_url=HERE, headers=headers, checks=CHECKS)

    answered()
