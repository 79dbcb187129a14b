"""The web application without a page and without a worker: jobs are taken and wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from starlette.testclient import TestClient

from pipelines.catalog.catalog import Catalog
from studio.batches.service import Batches
from studio.jobs.engine import Engine
from studio.search.search import Search
from studio.settings import Settings
from studio.storage.gallery import Gallery
from studio.storage.store import Store
from studio.web.accounts import users
from studio.web.accounts.session_ends import SessionEnds
from studio.web.accounts.sessions import Sessions, load_secret
from studio.web.api import create_api
from studio.web.context import Studio
from tests.studio.support.batch_studio import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path / "data") as desk:
        yield desk


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    """idle(**settings): a studio whose worker has not been started."""
    made: list[Studio] = []

    def make(**options: object) -> Studio:
        settings = Settings(data_dir=tmp_path, **options)
        store = Store(tmp_path / "triptych.db")
        gallery = Gallery(tmp_path, store)
        catalog = Catalog([settings.models])
        engine = Engine(settings, store, gallery, catalog)
        sessions = Sessions(load_secret(tmp_path), users.load(settings.auth, settings.users), SessionEnds(store))
        search, batches = Search(engine, store), Batches(tmp_path, store, gallery, catalog, engine)
        lock = FileLock(tmp_path / "lock")
        made.append(Studio(settings, store, gallery, catalog, engine, sessions, lock, search, batches))
        return made[-1]

    yield make
    for studio in made:
        studio.store.close()


@pytest.fixture
def browser(idle: Callable[..., Studio]) -> Callable[..., TestClient]:
    """browser(**settings): a client of such a studio, as a browser on this machine."""

    def make(**options: object) -> TestClient:
        app = create_api(idle(**options))
        return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False, raise_server_exceptions=False)

    return make
