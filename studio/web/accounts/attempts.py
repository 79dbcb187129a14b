"""How often passwords may be tried: often enough for people who mistype, too seldom for guessing.

A try is counted under its name and address together, and under its name alone; never under the address alone, behind
which a whole house or a proxy may be. A browser with which that name has logged in before is counted by itself, so
whoever hammers a name cannot keep its owner out. Unknown names are counted like known ones: refusals tell no names.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from studio import limits

_ROOM = 10_000  # records, before those that count no more are looked for


@dataclass(slots=True)
class _Record:
    wrong: int = 0
    last: float = 0.0


class Attempts:
    """Used on the event loop alone. `clock`: seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._records: dict[Hashable, _Record] = {}
        self._room = _ROOM

    def wait(self, name: str, address: str, device: str = "") -> float:
        """Seconds until this may be tried again; 0 when it may now."""
        return max(self._wait(key, *free) for key, free in _keys(name, address, device))

    def failed(self, name: str, address: str, device: str = "") -> None:
        """One more wrong one, or one that is not known yet: many tries at once are as many."""
        for key, _ in _keys(name, address, device):
            record = self._records.setdefault(key, _Record())
            record.wrong, record.last = self._wrong(record) + 1, self._clock()
        if len(self._records) > self._room:
            self._records = {key: record for key, record in self._records.items() if self._wrong(record)}
            self._room = max(_ROOM, 2 * len(self._records))

    def passed(self, name: str, address: str, device: str = "") -> None:
        """The last one was right; those before it count on."""
        for key, _ in _keys(name, address, device):
            if record := self._records.get(key):
                record.wrong = max(0, record.wrong - 1)

    def _wait(self, key: Hashable, free: int, most: float) -> float:
        record = self._records.get(key)
        over = self._wrong(record) - free if record else -1
        if record is None or over < 0:
            return 0.0
        pause = min(limits.LOGIN_WAIT_SECONDS * 2 ** min(over, 20), most)
        return max(0.0, record.last + pause - self._clock())

    def _wrong(self, record: _Record) -> int:
        """How many count: an hour without another one forgets them all."""
        return record.wrong if self._clock() - record.last < limits.LOGIN_FORGET_SECONDS else 0


def _keys(name: str, address: str, device: str) -> list[tuple[Hashable, tuple[int, float]]]:
    """What a try is counted under, with how many wrong ones are free and the longest pause after more."""
    if device:
        return [((name, "device", device), (limits.LOGIN_TRIES, limits.LOGIN_WAIT_LONGEST))]
    return [
        ((name, "address", network(address)), (limits.LOGIN_TRIES, limits.LOGIN_WAIT_LONGEST)),
        ((name, "name", ""), (limits.LOGIN_TRIES_PER_NAME, limits.LOGIN_WAIT_SECONDS)),
    ]


def network(address: str) -> str:
    """What one household has: an IPv4 address, or a /64 of IPv6, within which one may change at will."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
