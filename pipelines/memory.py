"""Running out of memory, whatever the device calls it, becomes one domain error."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

from pipelines.errors import OutOfMemory

P = ParamSpec("P")
R = TypeVar("R")
_SIGNS = ("not enough memory", "out of memory", "can't allocate memory", "invalid buffer size")


def out_of_memory_is_ours(call: Callable[P, R]) -> Callable[P, R]:
    """Raises OutOfMemory in the place of the device's own error."""

    @wraps(call)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
            if not _is_out_of_memory(error):
                raise
            _release()
            raise OutOfMemory(
                "The device ran out of memory; fewer pictures at once or a smaller size may fit."
            ) from None

    return guarded


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return any(sign in str(error).lower() for sign in _SIGNS)


def _release() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
