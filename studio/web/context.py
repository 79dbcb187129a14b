"""The parts of a running studio, and how a route gets them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from studio.formats.isolation import Apart, directly
from studio.settings import Settings
from studio.storage.gallery import Gallery
from studio.storage.recovery.notices import Notices
from studio.storage.store import Store
from studio.web.accounts.auth import owner_of
from studio.web.accounts.sessions import Sessions

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from pipelines.catalog.catalog import Catalog
    from studio.batches.service import Batches
    from studio.jobs.engine import Engine
    from studio.search.reindex import Reindexer
    from studio.search.search import Search
    from studio.storage.recovery.pruning import Pruning
    from studio.storage.recovery.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Studio:
    """Everything that is wired once, in `studio.build`."""

    settings: Settings
    store: Store
    gallery: Gallery
    catalog: Catalog
    engine: Engine
    sessions: Sessions
    lock: BaseFileLock
    search: Search
    batches: Batches
    refreshing: Reindexer | None = None
    pruning: Pruning | None = None
    upkeep: Upkeep | None = None
    notices: Notices = field(default_factory=Notices)
    apart: Callable[..., dict] = directly  # opens uploaded files

    async def close(self) -> None:
        """End the worker and let go of the data folder."""
        if isinstance(self.apart, Apart):
            self.apart.close()
        await asyncio.to_thread(self._quieten)
        await self.engine.stop()
        self.store.close()
        self.lock.release()

    def _quieten(self) -> None:
        self.engine.hang_up()
        if self.refreshing:
            self.refreshing.stop()
        if self.pruning:
            self.pruning.stop()
        if self.upkeep:
            self.upkeep.stop()
        self.batches.stop()


def _studio(connection: HTTPConnection) -> Studio:
    return connection.app.state.studio


def _owner(connection: HTTPConnection) -> str:
    return owner_of(connection)


Here = Annotated[Studio, Depends(_studio)]
Owner = Annotated[str, Depends(_owner)]
