"""How the worker opens a model of each kind. The only modules that need torch are imported when they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.entry import Entry

if TYPE_CHECKING:
    from pipelines.base import Pipeline
    from pipelines.loading import Options, Progress
    from pipelines.shelf import Shelf


def open_image(entry: Entry, options: Options, progress: Progress, shelf: Shelf) -> Pipeline:
    from pipelines import loading
    from pipelines.image import ImagePipeline

    return ImagePipeline(loading.load(entry, options, progress), entry)


def open_voice(entry: Entry, options: Options, progress: Progress, shelf: Shelf) -> Pipeline:
    from pipelines.speech import opening

    return opening.open_voice(entry, options, progress)


def open_captioner(entry: Entry, options: Options, progress: Progress, shelf: Shelf) -> Pipeline:
    from pipelines.caption import opening

    return opening.open_captioner(entry, options, progress, shelf.alignment)


def open_alignment(entry: Entry, options: Options, progress: Progress, shelf: Shelf) -> Pipeline:
    from pipelines.alignment import opening

    return opening.open_alignment(entry, options, progress)
