"""Models that are not on this machine come beside the work: only the jobs that need them wait.

Such a job is held in the scheduler, where it keeps its place, until the files are here. All jobs of a model wait for
one download, and of one owner's models one comes at a time, so that nobody takes all the line.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from studio.worker.messages import Message, Note
from studio.worker.runner.tasks import ModelPool, Task
from studio.worker.scheduler.scheduler import Scheduler

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


class Downloads:
    """Single-threaded, as the runner is; only the downloads have threads of their own."""

    def __init__(self, shelf: ModelPool, scheduler: Scheduler, emit: Callable[[Message], None]):
        self._shelf, self._scheduler, self._emit = shelf, scheduler, emit
        self._downloads: dict[str, Download] = {}

    @property
    def busy(self) -> bool:
        """Whether there is something to look for, also while there is no other work."""
        return bool(self._downloads)

    def holds(self, tasks: Sequence[Task]) -> bool:
        """Whether the model of these jobs, which is one, has to be fetched first. They are held then.

        Raises UnknownModel, ModelUnavailable.
        """
        model = tasks[0].request.model
        if model not in self._downloads and not self._shelf.missing(tasks[0].request):
            return False
        download = self._downloads.setdefault(model, Download(model))
        for task in tasks:
            self._scheduler.hold(task.id)
            download.waiting[task.id] = task.owner
            self._emit(Note(task.id, download.note))
        self._begin()
        return True

    def leave(self, job_id: str) -> None:
        """The job is over. A download that nobody waits for any more stops, and what has come is kept."""
        for download in self._downloads.values():
            download.waiting.pop(job_id, None)

    def news(self) -> Iterator[tuple[str, Exception]]:
        """Tells how far everything is and lets those go on whose model has come; gives the jobs whose model failed."""
        for download in list(self._downloads.values()):
            if download.over or not (download.begun or download.waiting):
                yield from self._ended(download)
            else:
                self._tell(download)
        self._begin()

    def _ended(self, download: Download) -> Iterator[tuple[str, Exception]]:
        del self._downloads[download.model]
        if download.given_up and download.waiting:  # somebody came just then
            self._downloads[download.model] = Download(download.model, download.waiting)
            return
        for job_id in list(download.waiting):
            if download.error:
                yield job_id, download.error
            else:
                self._emit(Note(job_id, ""))
                self._scheduler.release(job_id)

    def _begin(self) -> None:
        """The next download of every owner who has none under way."""
        busy = {owner for each in self._downloads.values() if each.begun for owner in each.waiting.values()}
        for download in self._downloads.values():
            if not (download.begun or busy.issuperset(download.waiting.values())):
                busy.update(download.waiting.values())
                download.begin(self._shelf.fetch)

    def _tell(self, download: Download) -> None:
        note = download.note
        if note != download.told:
            download.told = note
            for job_id in download.waiting:
                self._emit(Note(job_id, note))
