"""What the device has taught is kept between runs: a file beside the database, one section a device."""

from __future__ import annotations

import logging
from pathlib import Path

from studio.capacity import Capacity
from studio.durable import write_file

ACTIVATIONS = 0.5  # of the memory budget; the other half is for weights
log = logging.getLogger(__name__)


class CapacityFile:
    """`capacity`: as it was learned on this device, or fresh. `device`: name, memory_used, memory_total in bytes."""

    def __init__(self, settings: dict, device: dict):
        name = "".join(letter if letter.isalnum() else "-" for letter in str(device.get("name", "device")).lower())
        self._file = Path(settings["data_dir"]) / f"learned-{name}.json" if settings.get("data_dir") else None
        budget = int((settings.get("memory") or device.get("memory_total", 0)) * ACTIVATIONS)
        self.capacity = Capacity.from_json(self._read(), budget)
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
