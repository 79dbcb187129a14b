"""Which models exist: the bundled one, folders in the layout that diffusers saves, Hugging Face ids. No torch.

Only JSON is read here. A folder may carry a `triptych.json` with the name, note and defaults that its maker recommends:
{"name", "note", "steps", "guidance_scale", "sampler", "width", "height", "sketch_steps"}. A `few-step.safetensors`
beside the weights makes a second model of the same parts, `NAME-fast`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines import folders, hub, kinds, pickles
from pipelines.assets import ASSETS
from pipelines.entry import Entry, ImageEntry
from pipelines.errors import ModelUnavailable, UnknownModel

__all__ = ["BUNDLED", "Catalog", "Entry", "ImageEntry"]

INDEXES = ("model_index.json", "config.json")  # of diffusers and of transformers
BUNDLED = ASSETS / "models"


class Catalog:
    """The models that a person can choose. parents: where the user's own models lie, one sub-folder each."""

    def __init__(self, parents: Sequence[Path] = (), bundled: Path = BUNDLED):
        self._parents, self._bundled = [Path(parent) for parent in parents], bundled

    def entries(self, task: str | None = None) -> list[Entry]:
        """Those that serve `task`; None: all. Damaged ones are left out.

        Python packages' first, then the bundled ones, the user's folders, and the Hugging Face cache.
        """
        found: dict[str, Entry] = {}
        for entry in kinds.packaged():
            found[entry.id] = entry
        for id, folder, source in [*self._places(), *((id, folder, "hub") for id, folder in hub.cached())]:
            try:
                found.setdefault(id, folders.read(id, folder, source))
            except ModelUnavailable:
                continue
        return [entry for entry in found.values() if task in (None, entry.task)]

    def find(self, id: str) -> Entry:
        """The model of that id. Raises UnknownModel, or ModelUnavailable with what is wrong with its folder.

        A Hugging Face id is always found; without `folder`, it has yet to be fetched.
        """
        for known, folder, source in self._places():
            if known == id:
                return folders.read(id, folder, source)
        for entry in kinds.packaged():
            if entry.id == id:
                return entry
        if there := hub.find(id):
            return there
        if any(pickles.lies_in(parent, id) for parent in self._parents):
            raise ModelUnavailable(pickles.refusal(id))
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
    if not parent.is_dir():
        return []
    return sorted(folder for folder in parent.iterdir() if _is_model(folder))


def _is_model(folder: Path) -> bool:
    """An index tells; voices of Piper and Kokoro have none beside their ONNX file."""
    return any((folder / name).is_file() for name in INDEXES) or any(folder.glob("*.onnx"))
