"""Nobody else on this machine reads what is in the data folder."""

from __future__ import annotations

import logging
import os
import stat
import time
from pathlib import Path

import pytest

from studio.jobs.streams import Streams
from studio.storage.private import PrivateLog, make_private
from studio.storage.store import Store
from studio.worker import at_work

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


@pytest.fixture(autouse=True)
def generous():
    """A person whose new files everybody may read."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in sorted(folder.rglob("*"))
            if stat.S_IMODE(path.lstat().st_mode) & 0o077 and not path.is_symlink()]  # fmt: skip


def test_the_database_and_what_is_beside_it_are_private_from_the_first_moment(tmp_path):
    store = Store(tmp_path / "triptych.db")
    assert {path.name for path in tmp_path.iterdir()} >= {"triptych.db", "triptych.db-wal", "triptych.db-shm"}
    assert open_to_others(tmp_path) == []
    store.close()


def test_streams_are_private(tmp_path):
    Streams(tmp_path / "streams").add("job", b"sound")
    assert open_to_others(tmp_path) == []


def test_what_the_database_and_the_worker_write_beside_is_private(tmp_path):
    store = Store(tmp_path / "triptych.db")
    at_work.write(tmp_path, ["job"])
    log = PrivateLog(tmp_path / "worker.log", maxBytes=10, backupCount=2)
    for _ in range(3):
        log.emit(logging.makeLogRecord({"msg": "somebody's prompt"}))
    log.close()
    store.close()
    assert {"reserve", "at_work", "worker.log", "worker.log.1"} <= {path.name for path in tmp_path.iterdir()}
    assert open_to_others(tmp_path) == []


def test_what_a_former_version_left_open_is_closed_and_what_is_not_ours_is_left(tmp_path):
    ours = [tmp_path / name for name in ("triptych.db", "triptych.db-wal", "triptych.toml", "secret", "files/ab/x.png",
                                         "uploads/a/b/c.png", "streams/job", "batches/a/b/c.thumb")]  # fmt: skip
    others = [tmp_path / name for name in ("models/mine/model.safetensors", "notes.txt")]
    for path in (*ours, *others):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "files" / "link").symlink_to(tmp_path / "notes.txt")
    make_private(tmp_path)
    expected = ["models", "models/mine", "models/mine/model.safetensors", "notes.txt"]
    end = time.monotonic() + 60
    while open_to_others(tmp_path) != expected and time.monotonic() < end:
        time.sleep(0.01)
    assert open_to_others(tmp_path) == expected
