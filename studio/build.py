"""The composition root: every part is made here, once, and handed to those that need it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.catalog import Catalog
from pipelines.errors import TriptychError
from pipelines.requests import AlignRequest
from studio import users
from studio.batches import Batches
from studio.context import Studio
from studio.durable import make_folder
from studio.engine import Engine
from studio.gallery import Gallery
from studio.private import make_private
from studio.pruning import Pruning
from studio.refreshing import Refreshing
from studio.search import Search
from studio.session_ends import SessionEnds
from studio.sessions import Sessions, load_secret
from studio.settings import Settings
from studio.store import Store


class CannotStart(Exception):
    """Why the studio cannot start, in one sentence for the terminal."""


def build(settings: Settings, worker: Mapping[str, object] | None = None) -> Studio:
    """Open the data folder, clean up after a former process, start the worker. Raises CannotStart.

    Gradio is not imported here: the worker loads torch in its own process meanwhile.
    worker: entries that replace the worker's settings, for tests.
    """
    lock = _lock(settings)
    make_private(settings.data_dir)
    secret, people = _secret(settings), _users(settings)
    store = Store(settings.data_dir / "triptych.db")
    sessions = Sessions(secret, people, SessionEnds(store))
    gallery = Gallery(settings.data_dir, store)
    gallery.recover()
    catalog = Catalog([settings.models])
    engine = Engine(settings, store, gallery, catalog, worker)
    batches = Batches(settings.data_dir, store, gallery, catalog, engine)
    engine.start()
    batches.start()
    search = Search(engine, store, batches.limits)
    refreshing = Refreshing(engine, gallery, store, settings.data_dir, _alignment(catalog), search.renew)
    refreshing.start()
    pruning = Pruning(store, settings.keep_jobs)
    pruning.start()
    return Studio(settings, store, gallery, catalog, engine, sessions, lock, search, batches, refreshing, pruning)


def _alignment(catalog: Catalog) -> Path | None:
    """The folder of the model whose vectors the gallery keeps."""
    try:
        return catalog.find(AlignRequest().model).folder
    except TriptychError:
        return None


def _lock(settings: Settings) -> FileLock:
    """Two studios over one data folder would do every job twice."""
    # Read when Gradio is imported; no data leaves this machine, and its cache is not where the pictures are
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1")
    try:
        make_folder(settings.data_dir)
        # whoever closes lets go of it, in any thread
        lock = FileLock(settings.data_dir / "lock", timeout=0, mode=0o600, thread_local=False)
        lock.acquire()
    except Timeout as error:
        raise CannotStart(
            f"another Triptych is using the data folder {settings.data_dir}: stop it, or name another with --data-dir"
        ) from error
    except OSError as error:
        raise CannotStart(
            f"the data folder {settings.data_dir} cannot be written to ({error.strerror}): name another with --data-dir"
        ) from error
    return lock


def _users(settings: Settings) -> users.Users | None:
    try:
        return users.load(settings.auth, settings.users)
    except OSError as error:
        raise CannotStart(f"the file of users cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise CannotStart(str(error)) from error


def _secret(settings: Settings) -> bytes:
    try:
        return load_secret(settings.data_dir)
    except OSError as error:
        raise CannotStart(f"the file secret in the data folder cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise CannotStart(str(error)) from error
