"""One model on its way to this machine: a thread fetches it, and stops where nobody waits for it any more."""

from __future__ import annotations

import threading
from collections.abc import Callable

Progress = Callable[[str, float], None]  # what is being done, 0…1


class Unwanted(Exception):
    """Raised inside the thread, at the next sign of progress after the last one who waited has left."""


class Download:
    """waiting: ids of its jobs, with their owners. note: how far it is; told: the note that they know.

    begun: a thread was made for it; over: that has ended. error: what went wrong. given_up: nobody wanted it.
    """

    def __init__(self, model: str, waiting: dict[str, str] | None = None):
        self.model, self.waiting = model, waiting or {}
        self.note = self.told = f"downloading {model.partition('@')[0]} 0%"
        self.begun = self.over = self.given_up = False
        self.error: Exception | None = None

    def begin(self, fetch: Callable[[str, Progress], None]) -> None:
        """Returns at once. `fetch` is called in the thread, which ends with the process at the latest."""
        self.begun = True
        threading.Thread(target=self._run, args=(fetch,), name="download", daemon=True).start()

    def _run(self, fetch: Callable[[str, Progress], None]) -> None:
        try:
            fetch(self.model, self._hear)
        except Exception as error:
            self.error = error
        finally:
            self.over = True

    def _hear(self, text: str, part: float) -> None:
        if not self.waiting:
            self.given_up = True
            raise Unwanted
        self.note = f"{text} {part:.0%}"
