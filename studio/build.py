"""The composition root: every part is made here, once, and handed to those that need it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.catalog.catalog import Catalog
from pipelines.errors import TriptychError
from pipelines.requests import AlignRequest
from studio.batches.leftovers import Leftovers
from studio.batches.service import Batches
from studio.formats.isolation import Apart
from studio.jobs.engine import Engine
from studio.search.reindex import Reindexer, again
from studio.search.search import Search
from studio.settings import Settings
from studio.storage.atomic import make_folder
from studio.storage.gallery import Gallery
from studio.storage.private import make_private
from studio.storage.recovery.backups import Backups
from studio.storage.recovery.lost_and_found import LostAndFound
from studio.storage.recovery.notices import Notices
from studio.storage.recovery.opening import open_store
from studio.storage.recovery.pruning import Pruning
from studio.storage.recovery.rows import RecoveryRows
from studio.storage.recovery.starting import CannotStart, explained
from studio.storage.recovery.upkeep import Upkeep
from studio.web.accounts import users
from studio.web.accounts.session_ends import SessionEnds
from studio.web.accounts.sessions import Sessions, load_secret
from studio.web.context import Studio

__all__ = ["CannotStart", "build"]


def build(settings: Settings, worker: Mapping[str, object] | None = None) -> Studio:
    """Open the data folder, clean up after a former process, start the worker. Raises CannotStart.

    Gradio is not imported here: the worker loads torch in its own process meanwhile.
    worker: entries that replace the worker's settings, for tests.
    """
    lock = lock_data(settings.data_dir)
    try:
        with explained(settings.data_dir):
            return _built(settings, worker, lock)
    except BaseException:
        lock.release()
        raise


def _built(settings: Settings, worker: Mapping[str, object] | None, lock: FileLock) -> Studio:
    data = settings.data_dir
    make_private(data)
    secret, people = _secret(settings), _users(settings)
    store, said = open_store(data)
    sessions = Sessions(secret, people, SessionEnds(store))
    gallery = Gallery(data, store, apart := Apart())
    try:
        report = gallery.recover(allow_missing=settings.allow_missing)
        leftovers = Leftovers(data, RecoveryRows(store), LostAndFound(data))
        leftovers.run()
        if report.adopted:
            again(data)
    except BaseException:
        store.close()
        raise
    notices = Notices([*said, *report.sentences(LostAndFound(data).name), *leftovers.sentences()])
    catalog = Catalog([settings.models])
    engine = Engine(settings, store, gallery, catalog, worker)
    batches = Batches(data, store, gallery, catalog, engine)
    engine.start()
    batches.start()
    search = Search(engine, store, batches.limits)
    refreshing = Reindexer(engine, gallery, store, data, _alignment(catalog), search.renew)
    refreshing.start()
    pruning = Pruning(store, settings.keep_jobs)
    pruning.start()
    upkeep = Upkeep(Backups(data), gallery, RecoveryRows(store), notices, report.undescribed)
    upkeep.start()
    return Studio(settings, store, gallery, catalog, engine, sessions, lock, search, batches, refreshing, pruning,
                  upkeep, notices, apart)  # fmt: skip


def _alignment(catalog: Catalog) -> Path | None:
    """The folder of the model whose vectors the gallery keeps."""
    try:
        return catalog.find(AlignRequest().model).folder
    except TriptychError:
        return None


def lock_data(data: Path) -> FileLock:
    """Two studios over one data folder would do every job twice. Raises CannotStart."""
    # Read when Gradio is imported; no data leaves this machine, and its cache is not where the pictures are
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1")
    try:
        make_folder(data)
        # whoever closes lets go of it, in any thread
        lock = FileLock(data / "lock", timeout=0, mode=0o600, thread_local=False)
        lock.acquire()
    except Timeout as error:
        raise CannotStart(
            f"another Triptych is using the data folder {data}: stop it, or name another with --data-dir"
        ) from error
    except OSError as error:
        raise CannotStart(
            f"the data folder {data} cannot be written to ({error.strerror}): name another with --data-dir"
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
