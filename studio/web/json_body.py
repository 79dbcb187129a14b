"""JSON from outside, read within bounds: how many values, how deep, what names and numbers, whole characters."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.errors import InvalidRequest
from studio import limits

NOT_JSON = "text that is not JSON"
_WHAT = "request"


@dataclass(frozen=True, slots=True)
class _Wrong:
    """Stands where a value cannot: who reads numbers does not know the name they stand under."""

    got: str
    allowed: str


def parse(body: bytes) -> object:
    """The value in a JSON text. Raises InvalidRequest, before anything is built out of far too many values."""
    values = sum(body.count(mark) for mark in b",[{")
    if values > limits.JSON_VALUES:
        raise InvalidRequest(_WHAT, f"{values:,} values", f"at most {limits.JSON_VALUES:,}")
    try:
        found = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_object, parse_int=_integer, parse_float=_float)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:  # also what is not UTF-8
        raise InvalidRequest(_WHAT, NOT_JSON, "JSON in UTF-8") from error
    for name, value in _leaves(found):
        _check(name, value)
    return found


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A model of the fields would complain of each unknown name by itself, 400,000 times, before anybody reads one."""
    if len(pairs) > limits.JSON_NAMES:
        raise InvalidRequest(_WHAT, f"an object of {len(pairs):,} names", f"at most {limits.JSON_NAMES}")
    found: dict[str, object] = {}
    for name, value in pairs:
        if len(name) > limits.JSON_NAME or not _whole(name):
            raise InvalidRequest(_WHAT, f"a name of {len(name):,} characters", f"at most {limits.JSON_NAME}, all whole")
        if name in found:
            raise InvalidRequest(name, "two values", "one")
        found[name] = value
    return found


def _integer(text: str) -> int | _Wrong:
    if len(text) > limits.JSON_DIGITS or not -(2**63) <= int(text) < 2**63:
        return _Wrong(f"a number of {len(text):,} digits", "a whole number of 64 bits")
    return int(text)


def _float(text: str) -> float | _Wrong:
    if len(text) > limits.JSON_NUMBER:
        return _Wrong(f"a number of {len(text):,} digits", f"at most {limits.JSON_NUMBER} digits")
    return float(text)


def _leaves(found: object) -> Iterator[tuple[str, object]]:
    """Every single value with the name it stands under."""
    waiting: list[tuple[str, object, int]] = [(_WHAT, found, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if depth > limits.JSON_DEPTH:
            raise _too_deep()
        if isinstance(value, list):
            waiting += [(name, one, depth + 1) for one in value]
        elif isinstance(value, dict):
            waiting += [(key, one, depth + 1) for key, one in value.items()]
        else:
            yield name, value


def _check(name: str, value: object) -> None:
    if isinstance(value, _Wrong):
        raise InvalidRequest(name, value.got, value.allowed)
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidRequest(name, value, "a finite number")
    if isinstance(value, str) and not _whole(value):
        raise InvalidRequest(name, "half a character", "whole characters (an emoji was cut in two)")


def _whole(text: str) -> bool:
    """JSON can name one half of a pair of surrogates, which can be written down nowhere else."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_deep() -> InvalidRequest:
    return InvalidRequest(_WHAT, "lists within lists without end", f"at most {limits.JSON_DEPTH} within each other")
