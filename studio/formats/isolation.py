"""Files of strangers are opened in processes of their own, with a cap on time and on memory.

Decoders believe what a file says of itself: a kilobyte of EXIF may claim a thousand times the same megabyte, and a
picture of a few kilobytes be a gigabyte. What such a file takes is taken from a process that ends, and is given back.
What is sent is a function's name and plain values; what comes back are plain values (msgpack), or a sentence.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgpack

from pipelines.errors import BadUpload
from studio import limits

TOO_MUCH = "The file takes more time or memory to read than any ordinary one; it is damaged, or made to."
_IDLE_SECONDS = 60.0
_context = multiprocessing.get_context("spawn")  # a fork would take our threads' locks along


def directly(function: Callable[..., dict], *values: object) -> dict:
    """The same without a process."""
    return function(*values)


class Apart:
    """Call it from any thread. Processes are started when they are needed, and end when they have nothing to do."""

    def __init__(self, seconds: float = limits.READING_SECONDS, memory: int = limits.READING_BYTES):
        """memory: bytes of address space of each process, where the system knows such limits."""
        self._seconds, self._memory = seconds, memory
        self._free = threading.BoundedSemaphore(max(1, min(4, (os.cpu_count() or 2) // 2)))
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    def __call__(self, function: Callable[..., dict], *values: object) -> dict:
        """`function(*values)`, of a module; plain values in and out. Raises BadUpload."""
        asked = _packed([function.__module__, function.__name__, values])
        with self._free:
            kind, answer = self._asked(asked)
        if kind == "refused":
            raise BadUpload(answer)
        if kind == "failed":
            raise RuntimeError(answer)
        return answer

    def close(self) -> None:
        with self._lock:
            for child in self._idle:
                child.end()
            self._idle.clear()

    def _asked(self, asked: bytes) -> tuple[str, Any]:
        with self._lock:
            child = self._idle.pop() if self._idle else None
        if child:
            with suppress(EOFError, ConnectionError):  # it had just ended, as nobody asked
                return self._answer(child, asked)
        with suppress(_Killed):
            return self._fresh(asked)
        try:
            return self._fresh(asked)
        except _Killed as error:
            raise BadUpload(TOO_MUCH) from error

    def _fresh(self, asked: bytes) -> tuple[str, Any]:
        """Raises BadUpload for a file over which a decoder died; _Killed where somebody has ended the process."""
        child = _Child(self._memory)
        try:
            return self._answer(child, asked)
        except (EOFError, ConnectionError) as error:
            raise _Killed if child.killed else BadUpload(TOO_MUCH) from error

    def _answer(self, child: _Child, asked: bytes) -> tuple[str, Any]:
        """Raises BadUpload where it takes too long; EOFError, ConnectionError where the process died over it."""
        stays = False
        try:
            kind, answer, stays = child.ask(asked, self._seconds)
        except TimeoutError as error:
            raise BadUpload(TOO_MUCH) from error
        finally:
            if stays:
                with self._lock:
                    self._idle.append(child)
            else:
                child.end()
        return kind, answer


class _Killed(Exception):
    """Perhaps for another one's sake, as a system out of memory does: once, that says nothing of the file."""


class _Child:
    def __init__(self, memory: int):
        self._line, theirs = _context.Pipe()
        self._process = _context.Process(target=_serve, args=(theirs, memory), name="reading", daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, asked: bytes, seconds: float) -> tuple[str, Any, bool]:
        """The kind of the answer, the answer, and whether another may be asked."""
        self._line.send_bytes(asked)
        if not self._line.poll(seconds):
            raise TimeoutError
        return tuple(msgpack.unpackb(self._line.recv_bytes(), unicode_errors="surrogatepass", strict_map_key=False))

    @property
    def killed(self) -> bool:
        """By somebody, and not by what it was at."""
        return self._process.exitcode == -9

    def end(self) -> None:
        self._process.kill()
        self._process.join(10)
        self._line.close()


def _packed(value: object) -> bytes:
    return msgpack.packb(value, unicode_errors="surrogatepass")


def _serve(line: Connection, memory: int) -> None:
    """The process: answers until nobody asks, or until it has grown."""
    _bound(memory)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while line.poll(_IDLE_SECONDS):
            kind, answer = _answer(line.recv_bytes())
            grown = _grown()
            line.send_bytes(_packed((kind, answer, not grown)))
            if grown:
                return


def _answer(asked: bytes) -> tuple[str, object]:
    try:
        module, name, values = msgpack.unpackb(asked, unicode_errors="surrogatepass")
        return "done", getattr(importlib.import_module(module), name)(*values)
    except BadUpload as error:
        return "refused", str(error)
    except (MemoryError, RecursionError):
        return "refused", TOO_MUCH
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"


def _bound(memory: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    os.nice(5)  # whoever looks at the page goes first
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    with suppress(ValueError, OSError):  # macOS has the name and not the limit
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _grown() -> bool:
    """Much was needed once: the next one begins with little."""
    return _peak() > limits.READING_KEPT_BYTES


def _peak() -> int:
    """Bytes of memory that this process has had at most; 0 where the system does not say.

    Linux: not `ru_maxrss`, which begins with the peak of the process that started this one.
    """
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text().splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
