"""Which models exist: the bundled one, folders in the layout that diffusers saves, Hugging Face ids. No torch.

Only JSON is read here. A folder may carry a `triptych.json` with the name, note and defaults that its maker recommends:
{"name", "note", "steps", "guidance_scale", "sampler", "width", "height", "sketch_steps"}. A `few-step.safetensors`
beside the weights makes a second model of the same parts, `NAME-fast`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.assets import ASSETS
from pipelines.catalog import folders, hub, registry, single_files, weights
from pipelines.catalog.entry import Entry
from pipelines.errors import ModelUnavailable, UnknownModel

INDEXES = ("model_index.json", "config.json")  # of diffusers and of transformers
BUNDLED = ASSETS / "models"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refused:
    """What lies in a folder of the user's models and cannot be opened. reason: one sentence, without a path."""

    id: str
    reason: str


class Catalog:
    """The models that a person can choose. parents: where the user's own models lie, one sub-folder each."""

    def __init__(self, parents: Sequence[Path] = (), bundled: Path = BUNDLED):
        self._parents, self._bundled = [Path(parent) for parent in parents], bundled
        self._told: set[Refused] = set()  # what the log has said already

    def entries(self, task: str | None = None) -> list[Entry]:
        """Those that serve `task`; None: all. What cannot be opened is left out: `refused`.

        Python packages' first, then the bundled ones, the user's folders, and the Hugging Face cache.
        """
        found: dict[str, Entry] = {}
        for entry in registry.packaged():
            found[entry.id] = entry
        for each in self._read():
            if isinstance(each, Entry):
                found.setdefault(each.id, each)
        return [entry for entry in found.values() if task in (None, entry.task)]

    def refused(self) -> list[Refused]:
        """What somebody has put among the models, and why it is none."""
        return [each for each in self._read() if isinstance(each, Refused)]

    def _read(self) -> Iterator[Entry | Refused]:
        for id, folder, source in [*self._places(), *((id, folder, "hub") for id, folder in hub.cached())]:
            try:
                yield folders.read(id, folder, source)
            except ModelUnavailable as error:
                if source != "hub":  # its cache holds whatever other programs have fetched
                    yield self._say(Refused(folders.printable(id), str(error)))
        for parent in self._parents:
            yield from (self._say(Refused(*told)) for told in single_files.found(parent))

    def _say(self, refused: Refused) -> Refused:
        """In the log, once."""
        if refused not in self._told:
            self._told.add(refused)
            log.warning("Not among the models: %s", refused.reason)
        return refused

    def find(self, id: str) -> Entry:
        """The model of that id. Raises UnknownModel, or ModelUnavailable with what is wrong with its folder.

        A Hugging Face id is always found; without `folder`, it has yet to be fetched.
        """
        for known, folder, source in self._places():
            if known == id:
                return folders.read(id, folder, source)
        for entry in registry.packaged():
            if entry.id == id:
                return entry
        if there := hub.find(id):
            return there
        for parent in self._parents:
            if weights.pickle_named(parent, id):
                raise ModelUnavailable(weights.pickle_refusal(id))
            if said := single_files.refusal(parent, id) or _no_index(parent, id):
                raise ModelUnavailable(said)
        raise UnknownModel(
            f"model: there is no {id[:60]!r}; known are {self._known()}, or a Hugging Face id owner/name."
        )

    def _known(self) -> str:
        return ", ".join(entry.id for entry in self.entries()[:8]) or "none"

    def _places(self) -> Iterator[tuple[str, Path, str]]:
        for parent, source in [(self._bundled, "bundled"), *((parent, "folder") for parent in self._parents)]:
            for folder in _models_in(parent):
                yield folder.name, folder, source
                if (folder / folders.FEW_STEP).is_file():
                    yield f"{folder.name}-fast", folder / folders.FEW_STEP, source


def _models_in(parent: Path) -> list[Path]:
    try:
        return sorted(folder for folder in parent.iterdir() if _is_model(folder)) if parent.is_dir() else []
    except OSError as error:
        log.warning("A folder of models cannot be looked into: %s", error.strerror)
        return []


def _is_model(folder: Path) -> bool:
    """An index tells; voices of Piper and Kokoro have none beside their ONNX file."""
    try:
        return any((folder / name).is_file() for name in INDEXES) or any(folder.glob("*.onnx"))
    except OSError:  # not ours to look into
        return False


def _no_index(parent: Path, id: str) -> str:
    """The sentence for a folder of that name which is no model; "": there is none."""
    try:
        there = any(folder.name == id and folder.is_dir() for folder in parent.iterdir())
    except OSError:
        return ""
    return f"{id} is a folder without a {' or a '.join(INDEXES)}, so it is not known what model it is." if there else ""
