"""Every job that is not over, and those that ended lately, as the web process knows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelines.errors import NotFound
from studio.storage.records import Job, JobStatus

KEPT_ENDED = 60  # jobs that made something, and as many that did not, an owner sees without asking the gallery
KEPT_OWNERS = 200  # owners whose ended jobs are remembered


@dataclass(slots=True)
class LiveJob:
    """A job and what the worker last said of it. `begun`: the present worker holds its state.

    saving: it is over for the worker, and no verb changes that any more. waits: why that is not written yet.

    pieces: what is known of the parts that are ready; their bytes are in `studio.jobs.streams`.
    """

    job: Job
    request: dict = field(default_factory=dict)
    begun: bool = False
    saving: bool = False
    place: int | None = None
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    note: str = ""
    waits: str = ""
    preview: str | None = None
    artifact: dict | None = None
    pieces: list[dict] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.request = self.job.request.shown()
        self.steps = self.steps or self.job.request.expected_steps

    def start_over(self) -> None:
        """The worker that held it is gone."""
        self.begun, self.step, self.steps = False, 0, self.job.request.expected_steps
        self.seconds_left, self.note, self.preview, self.pieces = None, "", None, []


class LiveJobs:
    """Not thread-safe: whoever uses it holds the studio's lock."""

    def __init__(self) -> None:
        self._live: dict[str, LiveJob] = {}
        self._ended: dict[str, dict[str, LiveJob]] = {}

    def add(self, live: LiveJob) -> None:
        self._live[live.job.id] = live

    def find(self, job_id: str) -> LiveJob | None:
        """A job that is not over."""
        return self._live.get(job_id)

    def get(self, owner: str, job_id: str) -> LiveJob:
        """The owner's job, over or not; raises NotFound, also for the jobs of others."""
        live = self._live.get(job_id) or self._ended.get(owner, {}).get(job_id)
        if live is None or live.job.owner != owner:
            raise NotFound("There is no such job.")
        return live

    def unfinished(self, owner: str | None = None) -> Iterator[LiveJob]:
        """In the order of their arrival."""
        return (live for live in self._live.values() if owner is None or live.job.owner == owner)

    def of(self, owner: str) -> list[LiveJob]:
        """Newest first, the ended ones with them."""
        mine = [*self._ended.get(owner, {}).values(), *self.unfinished(owner)]
        return sorted(mine, key=lambda live: live.job.created, reverse=True)

    def end(self, live: LiveJob) -> None:
        """The job is over: out of the line, remembered for a while."""
        self._live.pop(live.job.id, None)
        live.place = live.seconds_left = live.preview = None
        kept = self._ended.pop(live.job.owner, {})
        self._ended[live.job.owner] = kept  # to the end: owners are forgotten in the order of their last job
        kept[live.job.id] = live
        _trim(kept, [other.job.id for other in kept.values() if _made(other) == _made(live)], KEPT_ENDED)
        _trim(self._ended, list(self._ended), KEPT_OWNERS)

    def forget(self, job_id: str, owner: str) -> None:
        """An ended job need not be shown any more."""
        self._ended.get(owner, {}).pop(job_id, None)

    def count(self, *statuses: JobStatus) -> int:
        return sum(live.job.status in statuses for live in self._live.values())


def _made(live: LiveJob) -> bool:
    """However many are cancelled at once: what was made stays in sight."""
    return live.job.status == JobStatus.DONE


def _trim(kept: dict, oldest_first: list[str], most: int) -> None:
    for key in oldest_first[:-most]:
        del kept[key]
