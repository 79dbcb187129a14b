"""Which jobs a worker is at, in a file: should everything be killed at once, the next start knows who it may have been.

The worker writes it before each piece of work of others. It is not synced: it outlives the process, and that the power
goes is no job's fault.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from studio.storage.private import private_opener

NAME = "at_work"
log = logging.getLogger(__name__)


def write(folder: str | Path | None, job_ids: Iterable[str]) -> None:
    """Not being able to is no reason to stop."""
    if not folder:
        return
    try:
        with open(Path(folder) / NAME, "w", encoding="utf-8", opener=private_opener) as file:
            file.write(" ".join(job_ids))
    except OSError:
        log.warning("It could not be written down which jobs are at work", exc_info=True)


def read(folder: str | Path) -> set[str] | None:
    """None where nobody has written it down: then any running job may be the one."""
    try:
        return set((Path(folder) / NAME).read_text("utf-8").split())
    except (OSError, UnicodeDecodeError):
        return None
