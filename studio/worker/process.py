"""The process that owns the device. It hears messages, works batch by batch, and tells what happens."""

from __future__ import annotations

import importlib
import logging
import logging.handlers
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from pipelines import requests
from pipelines.errors import TriptychError
from studio.storage.private import PrivateLog
from studio.worker import at_work
from studio.worker.capacity_file import CapacityFile
from studio.worker.heartbeat import BEAT_SECONDS, Outbox, beat
from studio.worker.messages import (
    AtWork,
    Cancel,
    Failed,
    Forget,
    Message,
    Pause,
    Picture,
    Ready,
    Reorder,
    Resume,
    Shutdown,
    Submit,
    Trouble,
    decode,
)
from studio.worker.parent_watch import die_with
from studio.worker.runner.previews import Previews
from studio.worker.runner.runner import Runner
from studio.worker.runner.tasks import ModelPool
from studio.worker.scheduler.scheduler import Scheduler

log = logging.getLogger(__name__)
IDLE_SECONDS = 5.0  # how often an idle worker looks up, to keep the numbers of the device fresh
FETCHING_SECONDS = 0.1  # the same while a model is on its way


def main(conn: Connection, parent: int, settings: dict) -> None:
    """The child's whole life. `settings`: plain data, see `studio.worker.supervisor.worker_settings`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent tells us when to end
    die_with(parent)
    _log_to(settings)
    outbox = Outbox(conn)
    beat(outbox, settings.get("beat_seconds", BEAT_SECONDS))
    try:
        _opened(conn, settings, outbox).serve()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        log.info("The studio has gone")
    except Exception:
        log.exception("The worker ends")
    finally:
        logging.shutdown()
        os._exit(0)  # taking a deep learning library apart in good order takes seconds, and gains nothing


def _opened(conn: Connection, settings: dict, outbox: Outbox) -> Mailbox:
    try:
        return Mailbox(conn, settings, outbox)
    except Exception as error:
        log.exception("The worker cannot start")
        device = settings.get("device", "")
        outbox.send(Trouble(f"The device {device!r} cannot be opened; the log has the details."))
        raise SystemExit from error


class Mailbox:
    """Hears before every move of the runner, so a cancel is obeyed before the next step."""

    def __init__(self, conn: Connection, settings: dict, outbox: Outbox | None = None):
        self._outbox, self._folder = outbox or Outbox(conn), settings.get("data_dir")
        self._conn, self._open, self._idle = conn, True, settings.get("idle_seconds", IDLE_SECONDS)
        self._pictures: dict[str, bytes] = {}
        shelf: ModelPool = _named(settings.get("shelf") or "studio.worker.process:open_model_pool")(settings)
        device = shelf.device_info()
        self._memory = CapacityFile(settings.get("data_dir"), device["name"], shelf.memory_budget)
        shown = Previews(settings.get("preview_share", 0.008))
        self._runner = Runner(
            shelf, Scheduler(self._memory.capacity), self._emit, self._pictures, shown, peak=peak_bytes
        )
        self._emit(Ready(device))
        self._verbs = {
            Submit: self._submit,
            Picture: lambda m: self._pictures.update({m.sha: m.data}),
            Forget: lambda m: self._pictures.pop(m.sha, None),
            Cancel: lambda m: self._runner.cancel(*m.job_ids),
            Pause: lambda m: self._runner.pause(m.job_id),
            Resume: lambda m: self._runner.resume(m.job_id),
            Reorder: lambda m: self._runner.reorder(m.owner, m.job_ids),
            Shutdown: lambda m: self._close(),
        }

    def serve(self) -> None:
        busy = True
        while self._open:
            self._hear(0.0 if busy else FETCHING_SECONDS if self._runner.fetching else self._idle)
            worked = self._open and self._runner.advance()
            if not worked and busy:
                self._rest()
            elif not worked:
                self._runner.report()
            busy = worked
            self._give_way()

    def _give_way(self) -> None:
        """Where it had better end: the supervisor starts another one, and gives it all that is to be done."""
        health = self._runner.health
        if health.ill or (health.tired and not self._runner.occupied):
            log.error("The worker ends, as it cannot be trusted any more: what failed is told above")
            self._close()

    def _rest(self) -> None:
        """Nothing to do: the time to tell the last, and to write down what was learned."""
        self._runner.rest()
        self._memory.save()

    def _hear(self, seconds: float) -> None:
        """Everything that lies in the mailbox; waits up to `seconds` for the first."""
        while self._open and self._conn.poll(seconds):
            message = decode(self._conn.recv_bytes())
            self._verbs[type(message)](message)
            seconds = 0.0

    def _submit(self, message: Submit) -> None:
        try:
            request = requests.from_json(message.request)
        except TriptychError as error:  # a row written by another version
            self._emit(Failed(message.job_id, error.code, str(error)))
        else:
            self._runner.submit(message.job_id, message.owner, request, message.attempts)

    def _emit(self, message: Message) -> None:
        if isinstance(message, AtWork):
            at_work.write(self._folder, message.job_ids)
        self._outbox.send(message)

    def _close(self) -> None:
        self._open = False


def open_model_pool(settings: dict) -> ModelPool:
    """The real pipelines. Only here, inside the child, torch is imported."""
    import torch

    from pipelines.catalog.catalog import Catalog
    from pipelines.image.model import loading
    from pipelines.runtime.model_pool import ModelPool

    loading.warm()
    if settings["device"].startswith("cuda:"):
        torch.cuda.set_device(settings["device"])
    catalog = Catalog([Path(settings["models"])])
    return ModelPool(catalog, settings["device"], settings["memory"], dtype=settings["dtype"],
                 compiled=settings["compile"], offload=settings["offload"], threads=settings["threads"])  # fmt: skip


def peak_bytes() -> int:
    """Bytes that the device took for a moment since the last call, beside what it holds; 0 on devices without counters.

    Before torch is imported there is nothing to be counted, and this must not be what imports it.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return 0
    taken = torch.cuda.max_memory_allocated() - torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return taken


def _named(dotted: str) -> Callable[[dict], ModelPool]:
    """`package.module:function`."""
    module, _, name = dotted.partition(":")
    return getattr(importlib.import_module(module), name)


def _log_to(settings: dict) -> None:
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if settings.get("data_dir"):
        file = Path(settings["data_dir"]) / "worker.log"
        handlers.append(PrivateLog(file, maxBytes=1_000_000, backupCount=2, encoding="utf-8"))
    level = settings.get("log", "warning").upper()
    logging.basicConfig(level=level, handlers=handlers, format="%(asctime)s %(name)s %(levelname)s %(message)s")
