"""A worker process and the pipe to it. Whatever it does, nobody waits for it: one thread writes, another one reads."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
from contextlib import suppress

from studio.worker.messages import TO_WORKER, encode

AHEAD = 256  # messages that are read before they are asked for; then the worker waits


class Connection:
    """One worker, from its start to its end. `spawn`: a fresh interpreter, so no thread or lock is inherited."""

    def __init__(self, target, settings: dict):
        context = multiprocessing.get_context("spawn")
        self.conn, far = context.Pipe()
        self.process = context.Process(target=target, args=(far, os.getpid(), settings), name="worker", daemon=True)
        self.process.start()
        far.close()  # ours is then the only end: the worker's death is the end of the file
        self._outbox: queue.SimpleQueue[TO_WORKER | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="to-worker", daemon=True)
        self._writer.start()
        self._inbox: queue.Queue[bytes | None] = queue.Queue(AHEAD)
        self._reader = threading.Thread(target=self._read, name="from-worker", daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        try:
            return self.process.is_alive()
        except ValueError:
            return False  # closed

    def receive(self, seconds: float) -> bytes | None:
        """The next message; None where no whole one came in that time. Raises EOFError when all has been heard."""
        try:
            data = self._inbox.get(timeout=seconds)
        except queue.Empty:
            return None
        if data is None:
            raise EOFError
        return data

    def send(self, message: TO_WORKER) -> None:
        self._outbox.put(message)

    def kill(self) -> None:
        """Ends the process now, whatever it does; the reader then finds the end of the pipe."""
        try:
            self.process.kill()
        except ValueError:
            return  # already closed

    def close(self, seconds: float = 2.0) -> None:
        """Ends the process, if need be by force, and frees the pipe."""
        self._outbox.put(None)
        self.process.join(seconds)
        self.process.kill()
        self.process.join()
        self.process.close()
        self._writer.join(seconds)  # nobody reads any more, so what it may be writing fails at once
        with suppress(queue.Empty):
            while self._reader.is_alive():  # it may wait for room
                self._inbox.get(timeout=seconds)
        self.conn.close()

    def _write(self) -> None:
        while (message := self._outbox.get()) is not None:
            try:
                self.conn.send_bytes(encode(message))
            except OSError:
                return  # the reader sees the end of the pipe and does what is needed
            except TypeError:  # closed between two parts of a long message, where it has no handle any more
                if not self.conn.closed:
                    raise
                return

    def _read(self) -> None:
        """Half a message holds up this thread alone."""
        with suppress(EOFError, OSError):
            while True:
                self._inbox.put(self.conn.recv_bytes())
        self._inbox.put(None)
