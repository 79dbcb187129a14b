"""Which module serves which kind of request: one line a kind. No torch.

`known` is a module without torch: `read(id, folder, source, config)` gives the catalog entry of a folder in the
layout that diffusers or transformers save, or None where the folder holds something else, and `entries()` the models
that come in Python packages. `opens` is `module:function`, called in the worker alone with (entry, options, progress,
alignment): the last opens what judges the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from pipelines.catalog.entry import Entry
from pipelines.errors import ModelUnavailable


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request."""

    name: str
    opens: str
    known: str = ""

    def opener(self) -> Callable:
        module, _, name = self.opens.partition(":")
        return getattr(import_module(module), name)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("image", "pipelines.image.opening:open_image", "pipelines.image.catalog"),
        Kind("speech", "pipelines.speech.opening:open_voice", "pipelines.speech.catalog"),
        Kind("caption", "pipelines.caption.opening:open_captioner", "pipelines.caption.catalog"),
        Kind("align", "pipelines.alignment.opening:open_alignment", "pipelines.alignment.catalog"),
    )
}


def read(id: str, folder: Path, source: str, config: dict) -> Entry:
    """The entry of a folder by its `model_index.json` or `config.json`. Raises ModelUnavailable where no kind knows
    it."""
    for kind in _knowing():
        if entry := kind.read(id, folder, source, config):
            return entry
    said = str(config.get("model_type"))[:60]
    raise ModelUnavailable(f"{id.rpartition('/')[2]} is a {said}; this kind of model is not supported yet.")


def packaged() -> Iterator[Entry]:
    """Models that come in Python packages."""
    for kind in _knowing():
        yield from kind.entries()


def _knowing() -> Iterator:
    return (import_module(kind.known) for kind in KINDS.values() if kind.known)
