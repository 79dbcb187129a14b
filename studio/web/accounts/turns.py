"""Turns at work that is dear (comparing passwords): few at once, addresses in rotation, the rest told to come again.

A hundred logins at once neither take all cores nor make one person at another address wait for all of them.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from studio import limits

T = TypeVar("T")


class Busy(Exception):
    """Too many are waiting already."""


class Turns:
    """Used on one event loop. Threads are made when they are needed, and end with `close`."""

    def __init__(self, at_once: int | None = None):
        """at_once: a quarter of the cores, one at least: what is left serves everybody else."""
        self._free = at_once or max(1, min(4, (os.cpu_count() or 1) // 4))
        self._pool = ThreadPoolExecutor(self._free, thread_name_prefix="passwords")
        self._waiting: OrderedDict[str, deque[asyncio.Future]] = OrderedDict()

    async def run(self, address: str, work: Callable[..., T], *values: object) -> T:
        """`work(*values)` in a thread, when it is this address's turn. Raises Busy."""
        await self._turn(address)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *values)
        finally:
            self._next()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, address: str) -> None:
        if self._free:
            self._free -= 1
            return
        self._make_room(address)
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and not mine.exception():
                self._next()  # the turn had come, and nobody takes it
            self._leave(address, mine)
            raise

    def _make_room(self, address: str) -> None:
        """Whoever has most in line gives way; raises Busy where that is this address itself."""
        mine = len(self._waiting.get(address, ()))
        if mine >= limits.LOGINS_WAITING_PER_ADDRESS:
            raise Busy
        if sum(map(len, self._waiting.values())) >= limits.LOGINS_WAITING:
            most = max(self._waiting, key=lambda other: len(self._waiting[other]))
            if len(self._waiting[most]) <= mine + 1:
                raise Busy
            last = self._waiting[most][-1]
            self._leave(most, last)
            last.set_exception(Busy())

    def _next(self) -> None:
        while self._waiting:
            address, line = next(iter(self._waiting.items()))
            turn = line.popleft()
            self._waiting.move_to_end(address)
            if not line:
                del self._waiting[address]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _leave(self, address: str, turn: asyncio.Future) -> None:
        line = self._waiting.get(address)
        if line and turn in line:
            line.remove(turn)
            if not line:
                del self._waiting[address]
