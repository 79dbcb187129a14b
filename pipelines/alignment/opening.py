"""Opens an alignment model. Safetensors only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.alignment.catalog import AlignmentEntry
from pipelines.alignment.model import Alignment
from pipelines.alignment.pipeline import AlignmentPipeline
from pipelines.alignment.towers import Towers
from pipelines.runtime.options import Options, Progress
from pipelines.runtime.transformers_models import image_processor, model, tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_CLASSES = {"clip": "CLIPModel", "siglip": "SiglipModel", "siglip2": "Siglip2Model"}


def open_alignment(
    entry: AlignmentEntry, options: Options, progress: Progress, alignment: object = None
) -> AlignmentPipeline:
    """The model of that folder on its device. Raises ModelUnavailable with one sentence."""
    progress(f"loading {entry.name}", 0.0)
    weights: PreTrainedModel = model(entry, _CLASSES[entry.family], options)
    towers = Towers(weights, tokenizer(entry), image_processor(entry))
    progress(f"loading {entry.name}", 1.0)
    return AlignmentPipeline(Alignment(towers), entry)
