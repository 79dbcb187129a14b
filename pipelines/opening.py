"""How the worker opens a model of each kind. The only modules that need torch are imported when they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.alignment.catalog import AlignmentEntry
    from pipelines.alignment.pipeline import AlignState
    from pipelines.base import Pipeline
    from pipelines.caption.known import CaptionEntry
    from pipelines.caption.state import CaptionState
    from pipelines.catalog.entry import ImageEntry
    from pipelines.requests import AlignRequest, CaptionRequest, ImageRequest, SpeechRequest
    from pipelines.runtime.model_pool import Shelf
    from pipelines.runtime.options import Options, Progress
    from pipelines.speech.catalog import VoiceEntry
    from pipelines.speech.state import SpeechState
    from pipelines.state import ImageState

# Each says which pipeline it gives, so that the type checker sees that its class is one.


def open_image(
    entry: ImageEntry, options: Options, progress: Progress, shelf: Shelf
) -> Pipeline[ImageRequest, ImageState]:
    from pipelines.image.model import loading
    from pipelines.image.pipeline import ImagePipeline

    return ImagePipeline(loading.load(entry, options, progress), entry)


def open_voice(
    entry: VoiceEntry, options: Options, progress: Progress, shelf: Shelf
) -> Pipeline[SpeechRequest, SpeechState]:
    from pipelines.speech import opening

    return opening.open_voice(entry, options, progress)


def open_captioner(
    entry: CaptionEntry, options: Options, progress: Progress, shelf: Shelf
) -> Pipeline[CaptionRequest, CaptionState]:
    from pipelines.caption import opening

    return opening.open_captioner(entry, options, progress, shelf.alignment)


def open_alignment(
    entry: AlignmentEntry, options: Options, progress: Progress, shelf: Shelf
) -> Pipeline[AlignRequest, AlignState]:
    from pipelines.alignment import opening

    return opening.open_alignment(entry, options, progress)
