"""One model of the catalog, as plain data. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from pipelines import checks
from pipelines.errors import InvalidRequest, ModelUnavailable, TooLarge
from pipelines.image.prompt.ip_adapter_files import AdapterFiles
from pipelines.requests import ImageRequest, Sampler
from pipelines.requests.common import AskedT

UNKNOWN = ""  # task of a Hugging Face id that has yet to be fetched
LATENTS, INPAINT, INSTRUCT = "latents", "inpaint", "instruct"


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


@dataclass(frozen=True, slots=True)
class ImageEntry(Entry[ImageRequest]):
    """A picture model: its defaults and its limits. Sizes in pixels; factor: width and height are multiples of it.

    embeds_guidance: the guidance scale is an input of the UNet (LCM), so that guidance takes no second row.
    inputs: what the UNet sees beside the noisy latents: LATENTS nothing more, INPAINT a mask and the masked picture,
    INSTRUCT the picture that words are to change. adapter: what it looks at pictures of a prompt with; None: nothing.
    changes: low-rank changes of its weights that are merged when it is opened; None: none.
    sketch_steps: so few steps are enough for a picture while somebody types; 0: it is not made for that.
    """

    task: str = "image"
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
    inputs: str = LATENTS
    adapter: AdapterFiles | None = None
    changes: Path | None = None
    sketch_steps: int = 0

    def guides(self, request: ImageRequest) -> bool:
        """Whether its guidance takes more rows. As diffusers: a scale of more than 1, and not an input of the model."""
        if self.inputs == INSTRUCT and request.image_guidance_scale < 1:
            return False
        return request.guidance_scale > 1 and not self.embeds_guidance

    def check(self, request: ImageRequest) -> None:
        Entry.check(self, request)
        checks.check(self, request)

    def fits(self, request: ImageRequest, budget: int, itemsize: int, spare: int = 0) -> None:
        checks.fits(self, request, budget, itemsize, spare)


def weights_fit(entry: Entry, budget: int, itemsize: int) -> None:
    """Raises TooLarge where the weights alone exceed `budget` bytes (0: no limit)."""
    needed = entry.weight_bytes(itemsize)
    if budget and needed > budget:
        raise TooLarge(f"{entry.name} needs about {gib(needed)} of memory, and {gib(budget)} may be used.")


def gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
