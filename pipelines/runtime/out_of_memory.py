"""Running out of memory, whatever the library calls it, becomes one domain error. Imports no library for that."""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec, TypeVar

from pipelines.errors import OutOfMemory, TriptychError

P = ParamSpec("P")
R = TypeVar("R")
_SIGNS = re.compile(
    "|".join((
        "out of memory",  # CUDA, HIP, XPU, MPS, C10, cuFFT, onnxruntime
        "not enough memory",  # torch on Windows; MKL
        "insufficient memory",
        "(can't|can ?not|could not|unable to|failed to) allocate",  # torch, mmap, numpy, onnxruntime, C10
        "allocation failed",
        "bad[_ ]alloc",  # C++: std::bad_alloc, "bad allocation"
        "alloc(ation)?_failed",  # cuDNN, cuBLAS, cuSOLVER, cuSPARSE and HIP's: CUDNN_STATUS_ALLOC_FAILED, …
        "cudaerrormemoryallocation",
        "smaller than requested bytes",  # the arena of onnxruntime
        "invalid buffer size",  # MPS
        # oneDNN: its code and its scratch memory; a *descriptor* that cannot be made means an unknown kind of work
        r"could not create a (primitive|memory)(?! descriptor)",
        "could not execute a primitive",
        "unable to find (a valid cudnn algorithm|an engine)",  # cuDNN, where no algorithm's workspace fits
    )),
    re.IGNORECASE,
)  # fmt: skip
# Of these the text is about a value, and may quote what a person has written
_OF_VALUES = (TriptychError, ValueError, TypeError, LookupError, AssertionError)
_MESSAGE = "The device ran out of memory; fewer pictures at once or a smaller size may fit."


def out_of_memory_is_ours(call: Callable[P, R]) -> Callable[P, R]:
    """Raises OutOfMemory in the place of the library's own error."""

    @wraps(call)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except Exception as error:
            if isinstance(error, OutOfMemory) or not is_out_of_memory(error):
                raise
        # here, as the error holds on to all that its frames hold
        release()
        raise OutOfMemory(_MESSAGE)

    return guarded


def is_out_of_memory(error: BaseException) -> bool:
    """Whether that is what an error of any library means, or what it was raised from."""
    if isinstance(error, (OutOfMemory, MemoryError)):
        return True
    if isinstance(error, _OF_VALUES):
        return False
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == 12  # ENOMEM, as of a file that is mapped
    return type(error).__name__ == "OutOfMemoryError" or bool(_SIGNS.search(str(error)))


def release() -> None:
    """What nobody uses goes back to the device, or to the system."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch is not None and torch.backends.mps.is_available():
        torch.mps.empty_cache()
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # of glibc: it keeps what was freed, and code is made elsewhere
            ctypes.CDLL(None).malloc_trim(0)
