"""Opens a captioner. Safetensors only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelines.caption.catalog import CaptionEntry
from pipelines.caption.models.blip import Blip
from pipelines.caption.models.chat import Qwen, Smol
from pipelines.caption.models.florence import Florence
from pipelines.caption.models.git import Git
from pipelines.caption.models.vit_gpt2 import VitGpt2
from pipelines.caption.pipeline import CaptionPipeline
from pipelines.runtime.options import Options, Progress

if TYPE_CHECKING:
    from pipelines.alignment.pipeline import AlignmentPipeline

FAMILIES = {"blip": Blip, "git": Git, "vit_gpt2": VitGpt2, "florence": Florence, "smol": Smol, "qwen": Qwen}


def open_captioner(
    entry: CaptionEntry, options: Options, progress: Progress, align: Callable[[], AlignmentPipeline]
) -> CaptionPipeline:
    """The model of that folder on its device. align: gives the alignment. Raises ModelUnavailable with one sentence."""
    progress(f"loading {entry.name}", 0.0)
    family = FAMILIES[entry.family](entry, options)
    progress(f"loading {entry.name}", 1.0)
    return CaptionPipeline(family, align)
