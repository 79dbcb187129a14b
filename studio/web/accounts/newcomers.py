"""Browsers that come without a cookie are new owners, and whoever drops the cookie each time is a new one each time.

Limits for one owner would hold nobody back then, so the first thing that a new owner does is counted for the address.
Looking is free: a page that is opened, reloaded or watched costs nothing, also in browsers that keep no cookies. A
whole office behind one address that opens its browsers in the same minute is let in; a flood of new owners is not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from studio import limits
from studio.quotas.buckets import Buckets
from studio.web.accounts.attempts import network

_REMEMBERED = 50_000


class Newcomers:
    """knows: whether an owner has something here already; may be slow. Used on one event loop and its threads."""

    def __init__(self, knows: Callable[[str], bool], buckets: Buckets | None = None):
        self._knows = knows
        self._buckets = buckets or Buckets(limits.OWNERS_AT_ONCE, limits.OWNERS_PER_SECOND)
        self._seen: OrderedDict[str, None] = OrderedDict()

    def seen(self, owner: str) -> bool:
        """Whether this owner has been let in already."""
        return owner in self._seen

    def wait(self, owner: str, address: str) -> float:
        """Let a new owner in; or the seconds until one from this address may do something."""
        wait = 0.0 if self._knows(owner) else self._buckets.take(network(address))
        if not wait:
            self._seen[owner] = None
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return wait
