"""Opens a picture model. What needs torch is imported when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.base import Pipeline
    from pipelines.image.entry import ImageEntry
    from pipelines.image.state import ImageState
    from pipelines.requests import ImageRequest
    from pipelines.runtime.options import Options, Progress


def open_image(
    entry: ImageEntry, options: Options, progress: Progress, alignment: object = None
) -> Pipeline[ImageRequest, ImageState]:
    from pipelines.image.model import loading
    from pipelines.image.pipeline import ImagePipeline

    return ImagePipeline(loading.load(entry, options, progress), entry)
