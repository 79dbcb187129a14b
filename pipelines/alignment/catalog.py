"""Which alignment models there are, as plain data: folders with a CLIP or a SigLIP in them. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.alignment import thresholds
from pipelines.alignment.thresholds import Limits
from pipelines.catalog import folders, weights
from pipelines.catalog.entry import Entry
from pipelines.errors import InvalidRequest, ModelUnavailable
from pipelines.requests import AlignRequest

FAMILIES = {"clip": "clip", "siglip": "siglip", "siglip2": "siglip2"}


@dataclass(frozen=True, slots=True)
class AlignmentEntry(Entry[AlignRequest]):
    """image_size: pixels a side. dim: numbers of a vector. window: longest text in tokens, its two ends included.

    cost: bytes of float32 activations that one picture takes at most. limits: from which numbers on answers mean much.
    """

    task: str = "align"
    image_size: int = 224
    dim: int = 512
    window: int = 77
    cost: int = 0
    limits: Limits = field(default_factory=Limits)

    @property
    def doubtful(self) -> float:
        return self.limits.doubtful

    def check(self, request: AlignRequest) -> None:
        """Raises InvalidRequest."""
        Entry.check(self, request)
        if request.heatmap and not (request.texts and request.pictures):
            raise InvalidRequest("heatmap", True, "a request with a text and a picture")
        if request.labels and not request.pictures:
            raise InvalidRequest("labels", len(request.labels), "a request with a picture")
        if request.check and len(request.texts) != len(request.pictures):
            raise InvalidRequest("check", len(request.texts), f"{len(request.pictures)} texts, one for each picture")


def read(id: str, folder: Path, source: str, config: dict) -> Entry | None:
    """The entry of a folder with that `config.json`, or None where it holds something else."""
    family, name = FAMILIES.get(str(config.get("model_type"))), id.rpartition("/")[2]
    if family is None:
        return None
    size, itemsize = weights.stored(folder, name)
    try:
        fields = _shape(config) | {"limits": thresholds.read(folder, name)}
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ModelUnavailable(f"{name} is damaged: its settings are incomplete.") from error
    advice = folders.advice(folder, name)
    return AlignmentEntry(id, str(advice.get("name", name)), source, folder, family=family, stored_bytes=size,
                          stored_itemsize=itemsize, note=str(advice.get("note", "")), **fields)  # fmt: skip


def entries() -> list[Entry]:
    """No Python package brings one."""
    return []


def _shape(config: dict) -> dict[str, Any]:
    """What is not written in a config is the default of its class in transformers, which is the base model."""
    vision, text = config.get("vision_config") or {}, config.get("text_config") or {}
    siglip = config["model_type"] != "clip"
    width, size = vision.get("hidden_size", 768), vision.get("image_size", 224)
    patches = vision.get("num_patches") or (size // vision.get("patch_size", 16 if siglip else 32)) ** 2 + 1
    heads, inner = vision.get("num_attention_heads", 12), vision.get("intermediate_size", 4 * width)
    return {
        "image_size": size,
        "dim": width if siglip else config.get("projection_dim", 512),
        "window": text.get("max_position_embeddings", 64 if siglip else 77),
        "cost": 4 * patches * (6 * width + 2 * inner + 2 * heads * patches),
    }
