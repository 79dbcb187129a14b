"""The worker must never outlive the studio: the device would stay taken.

Besides the end of the pipe two things watch for that: the kernel on Linux, and everywhere a thread that waits for
the parent, also while a step runs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait


def die_with(parent: int) -> None:
    """This process ends with the process `parent` that made it."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1  # linux/prctl.h: this signal when the thread that made us ends
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    """Ends the process as soon as the parent has gone, even in the middle of a step."""
    process = parent_process()
    ends = [process.sentinel] if process else []
    while not wait(ends, timeout=1.0) and os.getppid() == parent:
        continue
    os._exit(1)
