"""What the device has taught is kept between runs: a file beside the database, one a device."""

from __future__ import annotations

import logging
from pathlib import Path

from studio.storage.atomic import write_file
from studio.worker.scheduler.capacity import Capacity

ACTIVATIONS = 0.3  # of the memory budget; the rest is for weights
log = logging.getLogger(__name__)


class CapacityFile:
    """`capacity`: as it was learned on this device, or fresh. memory_budget: bytes for weights and activations."""

    def __init__(self, folder: str | None, device: str, memory_budget: int):
        name = "".join(letter if letter.isalnum() else "-" for letter in device.lower())
        self._file = Path(folder) / f"learned-{name}.json" if folder else None
        self.capacity = Capacity.from_json(self._read(), int(memory_budget * ACTIVATIONS))
        self._saved = self.capacity.to_json()

    def save(self) -> None:
        """Where something has been learned. Not being able to is no reason to stop."""
        text = self.capacity.to_json()
        if self._file is None or text == self._saved:
            return
        try:
            write_file(self._file, text.encode())
            self._saved = text
        except OSError:
            log.warning("What was learned of the device cannot be written", exc_info=True)

    def _read(self) -> str:
        try:
            return self._file.read_text() if self._file else "{}"
        except (OSError, UnicodeDecodeError):
            return "{}"
