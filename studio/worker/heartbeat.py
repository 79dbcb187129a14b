"""What the worker says, and that it lives: a thread says so also while a long step runs or a model is loaded."""

from __future__ import annotations

import threading
import time
from multiprocessing.connection import Connection

from studio.worker.messages import Beat, Message, encode

BEAT_SECONDS = 5.0


class Outbox:
    """The worker's end of the pipe, for all its threads: one message after the other."""

    def __init__(self, conn: Connection):
        self._conn, self._lock = conn, threading.Lock()

    def send(self, message: Message) -> None:
        data = encode(message)
        with self._lock:
            self._conn.send_bytes(data)


def beat(outbox: Outbox, seconds: float = BEAT_SECONDS) -> None:
    """From now on, for as long as the process lives and somebody listens."""

    def go_on() -> None:
        while True:
            time.sleep(seconds)
            try:
                outbox.send(Beat())
            except OSError:
                return

    threading.Thread(target=go_on, name="heartbeat", daemon=True).start()
