"""The models that are open: loaded when first asked for, the least recently used put away when memory is short."""

from __future__ import annotations

import gc
from collections import OrderedDict
from typing import Any

import torch

from pipelines.base import Pipeline
from pipelines.catalog import hub, registry
from pipelines.catalog.catalog import Catalog
from pipelines.catalog.entry import Entry
from pipelines.errors import ModelUnavailable
from pipelines.requests import AlignRequest, Request
from pipelines.runtime import devices
from pipelines.runtime.options import Options, Progress

SCORED = ("image", "speech")
WEIGHT_SHARE = 0.7  # of the budget; the rest is for activations


class ModelPool:
    """memory_budget: bytes for weights and activations together; 0: what the device has. device: "auto", "cpu", …

    dtype: "auto", "float32", "float16" or "bfloat16". compiled: torch.compile denoisers. offload: keep the parts of
    picture models in main memory, and one at a time on the device. threads: 0: as many as there are cores.
    alignment: id of the model that pictures and captions are judged with; it is on this machine.
    """

    def __init__(
        self,
        catalog: Catalog,
        device: str = "auto",
        memory_budget: int = 0,
        *,
        dtype: str = "auto",
        compiled: bool = False,
        offload: bool = False,
        threads: int = 0,
        alignment: str = "sprite-clip",
    ):
        self._catalog, self._device, self._compiled = catalog, devices.choose(device), compiled
        self._dtype, self._offload = devices.dtype_for(self._device, dtype), offload
        self._alignment = AlignRequest(model=alignment)
        self.memory_budget = memory_budget or devices.budget(self._device)
        self._open: OrderedDict[str, Pipeline] = OrderedDict()
        self._fetched: dict[str, Entry] = {}  # not opened yet
        devices.set_threads(threads)

    def check(self, request: Request) -> None:
        """Refuses before memory is taken. Raises UnknownModel, ModelUnavailable, InvalidRequest, TooLarge."""
        self._check(self._entry(request.model), request)

    def missing(self, request: Request) -> bool:
        """Whether its model has to be fetched before it can be opened. Raises UnknownModel, ModelUnavailable."""
        return not self._entry(request.model).ready

    def fetch(self, id: str, progress: Progress) -> None:
        """Brings the files of a model to this machine, which can take hours; may be called from any thread.

        Raises ModelUnavailable with what is missing.
        """
        self._fetched[id] = hub.fetch(self._catalog.find(id), progress)

    def pipeline(self, request: Request, progress: Progress = lambda text, part: None) -> Pipeline:
        """The request's model, opened if need be; others are put away for it. Nothing is fetched. Raises as `check`."""
        entry = self._entry(request.model)
        if request.model in self._open:
            self._check(entry, request)
            self._open.move_to_end(request.model)
            return self._with_room(request)
        if not entry.ready:
            raise ModelUnavailable(f"{entry.name} is not on this machine yet.")
        self._check(entry, request)
        self._make_room(entry.weight_bytes(self._dtype.itemsize))
        self._fetched.pop(request.model, None)
        self._open[request.model] = registry.KINDS[entry.task].opener()(
            entry, self._options(entry), progress, self.alignment
        )
        return self._with_room(request)

    def scores(self, request: Request) -> bool:
        """Whether what is made for it is compared with its words: pictures; of sounds, the text has a place there."""
        asked = request.words.strip() or getattr(request, "parts", None)
        return request.kind in SCORED and bool(asked) and not getattr(request, "filmstrip", False)

    def alignment(self) -> Any:
        """The pipeline that judges what others have made."""
        return self.pipeline(self._alignment)

    def loaded(self) -> list[str]:
        """Ids of the open models, least recently used first."""
        return list(self._open)

    def evict(self, id: str) -> None:
        """Puts a model away. States made with it go on with the pipeline that is opened for it next."""
        self._open.pop(id, None)
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def device_info(self) -> dict[str, Any]:
        """{"device", "name", "memory_used", "memory_total"}, bytes."""
        return devices.info(self._device)

    def _entry(self, id: str) -> Entry:
        if id in self._open:
            return self._open[id].entry
        return self._fetched.get(id) or self._catalog.find(id)

    def _check(self, entry: Entry, request: Request) -> None:
        if not entry.ready:
            return  # its limits are known once it has been fetched
        entry.check(request)
        entry.fits(request, self.memory_budget, self._dtype.itemsize, devices.spare(self._device))

    def _with_room(self, request: Request) -> Pipeline:
        """The open model, used last; others are put away for the weights that it will bring in for this request."""
        found = self._open[request.model]
        lacks = getattr(found, "lacks", None)
        if lacks and (more := lacks(request)):
            self._make_room(more, keep=1)
        return found

    def _make_room(self, needed: int, keep: int = 0) -> None:
        """keep: how many of those used last stay in any case."""
        while len(self._open) > keep and self._held() + needed > self._room:
            self.evict(next(iter(self._open)))

    def _held(self) -> int:
        return sum(pipeline.nbytes for pipeline in self._open.values())

    def _options(self, entry: Entry) -> Options:
        tight = entry.weight_bytes(self._dtype.itemsize) > self._room
        activations = self.memory_budget - self._room
        return Options(self._device, self._dtype, tight, self._compiled, self._offload, self._room, activations)

    @property
    def _room(self) -> int:
        """Bytes of weights that the device may hold."""
        return int(WEIGHT_SHARE * self.memory_budget)
