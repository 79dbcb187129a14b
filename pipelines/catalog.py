"""Which models exist: the bundled one, folders in the layout that diffusers saves, Hugging Face ids. No torch.

Only JSON is read here. A folder may carry a `triptych.json` with the name, note and defaults that its maker recommends:
{"name", "note", "steps", "guidance_scale", "sampler", "width", "height"}.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines import checks, folders
from pipelines.errors import ModelUnavailable, UnknownModel
from pipelines.requests import ImageRequest, Sampler

BUNDLED = Path(__file__).resolve().parent.parent / "assets" / "models"
HUB_ID = re.compile(r"^(?P<repo>[\w.-]{1,96}/[\w.-]{1,96})(?:@(?P<revision>[\w./-]{1,100}))?$", re.ASCII)
# Pipeline class of diffusers -> our family. Another kind of model (flow-matching transformers: SD3, Flux, Z-Image…)
# is a line here, its samplers in `samplers.py`, and a class beside `ImagePipeline` that `shelf.py` opens it with.
FAMILIES = {
    "StableDiffusionPipeline": "sd",
    "StableDiffusionImg2ImgPipeline": "sd",
    "LatentConsistencyModelPipeline": "sd",
    "StableDiffusionXLPipeline": "sdxl",
    "StableDiffusionXLImg2ImgPipeline": "sdxl",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One model: its defaults and its limits. Sizes in pixels; factor: width and height are multiples of it.

    source: "bundled", "folder" or "hub". folder: where it lies; None: not on this machine yet.
    embeds_guidance: the guidance scale is an input of the UNet (LCM), so that guidance takes no second row.
    stored_bytes: size of the weight files; stored_itemsize: bytes of one number in them.
    """

    id: str
    name: str
    source: str
    folder: Path | None = None
    revision: str | None = None
    family: str = "sd"
    factor: int = 8
    width: int = 512
    height: int = 512
    max_pixels: int = 2048 * 2048
    steps: int = 20
    guidance_scale: float = 7.0
    sampler: Sampler = Sampler.DPMPP_2M
    samplers: tuple[Sampler, ...] = tuple(Sampler)
    embeds_guidance: bool = False
    prediction_type: str = "epsilon"
    base_channels: int = 320
    latent_channels: int = 4
    stored_bytes: int = 0
    stored_itemsize: int = 4
    note: str = ""

    def guides(self, guidance_scale: float) -> bool:
        """Whether that scale takes a second row. As diffusers: more than 1, and not an input of the model."""
        return guidance_scale > 1 and not self.embeds_guidance

    def weight_bytes(self, itemsize: int) -> int:
        """Memory of the weights when loaded with numbers of that size."""
        return self.stored_bytes * itemsize // self.stored_itemsize

    def check(self, request: ImageRequest) -> None:
        """Raises InvalidRequest with the first field that this model cannot do."""
        checks.check(self, request)


class Catalog:
    """The models that a person can choose. folders: where the user's own models lie, one sub-folder each."""

    def __init__(self, folders: Sequence[Path] = (), bundled: Path = BUNDLED):
        self._folders, self._bundled = [Path(folder) for folder in folders], bundled

    def entries(self) -> list[Entry]:
        """Bundled ones first, then the user's folders, then what lies in the Hugging Face cache. Damaged ones left out."""
        found: dict[str, Entry] = {}
        for id, folder, source in self._places():
            try:
                found.setdefault(id, folders.read(id, folder, source))
            except ModelUnavailable:
                continue
        return list(found.values())

    def find(self, id: str) -> Entry:
        """The model of that id. Raises UnknownModel, or ModelUnavailable with what is wrong with its folder."""
        for known, folder, source in self._places():
            if known == id:
                return folders.read(id, folder, source)
        if match := HUB_ID.match(id):
            return Entry(id, match["repo"], "hub", revision=match["revision"], note="Is fetched when first used.")
        raise UnknownModel(
            f"model: there is no {id[:60]!r}; known are {self._known()}, or a Hugging Face id owner/name."
        )

    def _known(self) -> str:
        return ", ".join(entry.id for entry in self.entries()[:8]) or "none"

    def _places(self) -> Iterator[tuple[str, Path, str]]:
        yield from ((f.name, f, "bundled") for f in _models_in(self._bundled))
        for parent in self._folders:
            yield from ((f.name, f, "folder") for f in _models_in(parent))


def downloaded(entry: Entry, folder: Path) -> Entry:
    """The entry of a Hugging Face model once it lies on this machine."""
    return replace(folders.read(entry.id, folder, "hub"), name=entry.name, revision=entry.revision)


def _models_in(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(folder for folder in parent.iterdir() if (folder / "model_index.json").is_file())
