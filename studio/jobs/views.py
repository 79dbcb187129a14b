"""Jobs and the studio's state as JSON, for the page and the API."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING

from studio.jobs.live import LiveJob
from studio.storage.records import Job, JobStatus
from studio.worker.messages import Preview

if TYPE_CHECKING:
    from studio.jobs.manager import JobManager

SHOWN_INFO = ("duration", "sample_rate", "caption", "candidates", "warnings", "format", "alignment", "peaks", "edited",
              "style", "agreement", "gate")  # fmt: skip
LINE = 200  # jobs of the line that are shown
_FAR = 10**9


def job_view(live: LiveJob) -> dict:
    """One job for its owner. Times: seconds since the epoch; seconds_left: seconds; preview: a data URI."""
    job = live.job
    return {
        "id": job.id,
        "kind": job.request.kind,
        "status": str(job.status),
        "place": live.place,
        "step": live.step,
        "steps": live.steps,
        "seconds_left": live.seconds_left,
        "note": live.waits or live.note,
        "preview": live.preview,
        "pieces": len(live.pieces),
        "error": job.error,
        "error_code": job.error_code,
        "request": live.request,
        "artifact": live.artifact,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
    }


def artifact_view(job: Job, info: dict) -> dict:
    """Where the artifact of a done job lies. `info`: what its pipeline said of it."""
    return {
        "id": job.artifact_id,
        "kind": job.request.kind,
        "width": info.get("width", getattr(job.request, "width", 0)),
        "height": info.get("height", getattr(job.request, "height", 0)),
        "seed": info.get("seed", getattr(job.request, "seed", None)),
        "score": info.get("alignment", {}).get("score"),
        "info": shown_info(info),
        "url": f"/files/{job.artifact_id}",
        "thumb": f"/thumbs/{job.artifact_id}",
    }


def shown_info(info: dict) -> dict:
    """What a list or a tile needs of what a pipeline has said; the rest is in the artifact's own view."""
    return {key: info[key] for key in SHOWN_INFO if key in info}


def data_uri(preview: Preview) -> str:
    return f"data:{preview.media_type};base64,{base64.b64encode(preview.data).decode()}"


def status_view(desk: JobManager, owner: str) -> dict:
    """The machine, and everybody's place in line without a name. Memory in bytes. trouble: why no worker starts."""
    table, stats = desk.table, desk.stats
    return {
        "running": table.count(JobStatus.RUNNING),
        "waiting": table.count(JobStatus.WAITING),
        "paused": table.count(JobStatus.PAUSED),
        "mine": sum(1 for _ in table.unfinished(owner)),
        "device": stats.device.get("name", ""),
        "memory_used": stats.device.get("memory_used", 0),
        "memory_total": stats.device.get("memory_total", 0),
        "rows_per_step": stats.rows_per_step,
        "steps_per_second": stats.steps_per_second,
        "worker": desk.worker,
        "trouble": desk.trouble,
        "model": stats.model,
        "line": _line(table.unfinished(), owner),
    }


def _line(unfinished: Iterable[LiveJob], owner: str) -> list[dict]:
    """Others are numbered by their oldest unfinished job, so a number stays while its owner is in line."""
    numbers, rows = {owner: 0}, []
    for live in unfinished:
        numbers.setdefault(live.job.owner, len(numbers))
        rows.append(live)
    rows.sort(key=lambda live: _FAR if live.place is None else live.place)
    return [_in_line(live, numbers[live.job.owner]) for live in rows[:LINE]]


def _in_line(live: LiveJob, number: int) -> dict:
    return {
        "place": live.place,
        "mine": number == 0,
        "owner_label": f"somebody {number}" if number else "you",
        "owner_number": number,
        "status": str(live.job.status),
        "kind": live.job.request.kind,
        "step": live.step,
        "steps": live.steps,
    }
