"""One model of the catalog, as plain data. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from pipelines.errors import InvalidRequest, ModelUnavailable, TooLarge
from pipelines.requests.common import AskedT

UNKNOWN = ""  # task of a Hugging Face id that has yet to be fetched


@dataclass(frozen=True, slots=True)
class Entry(Generic[AskedT]):
    """What the studio knows of any model. AskedT: the requests that it serves.

    source: "bundled", "package", "folder" or "hub". folder: where it lies; None: not on this machine yet, or inside a
    Python package. task: the kind of request that it serves. stored_bytes: size of the weight files; stored_itemsize:
    bytes of one number in them. ready: can be opened without fetching anything.
    """

    id: str
    name: str
    source: str
    folder: Path | None = None
    revision: str | None = None
    task: str = UNKNOWN
    family: str = ""
    stored_bytes: int = 0
    stored_itemsize: int = 4
    note: str = ""

    @property
    def ready(self) -> bool:
        return self.folder is not None or self.source == "package"

    @property
    def place(self) -> Path:
        """The folder, of a model that has to have one. Raises ModelUnavailable."""
        if self.folder is None:
            raise ModelUnavailable(f"{self.name} is not on this machine yet.")
        return self.folder

    def weight_bytes(self, itemsize: int) -> int:
        """Memory of the weights when loaded with numbers of that size."""
        return self.stored_bytes * itemsize // self.stored_itemsize

    def check(self, request: AskedT) -> None:
        """Raises InvalidRequest with the first field that this model cannot do."""
        if self.task not in (UNKNOWN, request.kind):
            raise InvalidRequest("model", self.id, f"a model for {request.kind}; {self.name} is one for {self.task}")

    def fits(self, request: AskedT, budget: int, itemsize: int, spare: int = 0) -> None:
        """Raises TooLarge where weights and the smallest piece of work exceed `budget` bytes (0: no limit).

        spare: bytes of main memory beside the device, where weights can wait for their turn.
        """
        weights_fit(self, budget, itemsize)


def weights_fit(entry: Entry, budget: int, itemsize: int) -> None:
    """Raises TooLarge where the weights alone exceed `budget` bytes (0: no limit)."""
    needed = entry.weight_bytes(itemsize)
    if budget and needed > budget:
        raise TooLarge(f"{entry.name} needs about {gib(needed)} of memory, and {gib(budget)} may be used.")


def gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
