"""A data folder with pictures, a sound and captions in it, and what is there of it later."""

from __future__ import annotations

import io
import time
from pathlib import Path

from PIL import Image

from pipelines.base import Artifact
from pipelines.requests import CaptionRequest, ImageRequest, Request, SpeechRequest
from studio.storage.gallery import Gallery
from studio.storage.records import Job, JobStatus
from studio.storage.recovery.opening import open_store
from studio.storage.recovery.recovery import Report


def png(colour: str = "red", size: tuple[int, int] = (64, 64)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


class Folder:
    """One data folder; `opened` is what a start does with it, without a worker."""

    def __init__(self, data: Path):
        self.data, self.lost = data, data / "lost+found" / time.strftime("%Y-%m-%d")

    def __enter__(self) -> Folder:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def open(self, **options: object) -> Report:
        """A start; what it found."""
        self.store, self.said = open_store(self.data)
        self.gallery = Gallery(self.data, self.store)
        try:
            self.report = self.gallery.recover(**options)
        except BaseException:
            self.store.close()
            raise
        return self.report

    def save(self, request: Request, artifact: Artifact, owner: str = "ann") -> str:
        job = Job(owner, request, time.time())
        self.store.add(job)
        return self.gallery.save(job.to(JobStatus.RUNNING), artifact).artifact_id

    def picture(self, owner: str = "ann", **fields: object) -> str:
        request = ImageRequest(**{"prompt": "a fox", "seed": 7} | fields)
        return self.save(request, Artifact("image", "image/png", png(), {"notes": []}), owner)

    def caption(self, owner: str = "ann", text: str = "a red square") -> str:
        request = CaptionRequest(picture=self.gallery.keep_upload(owner, png()))
        return self.save(request, Artifact("caption", "text/plain", text.encode(), {"caption": text}), owner)

    def sound(self, owner: str = "ann", text: str = "Hello there.") -> str:
        request = SpeechRequest(text=text, format="wav", seed=7)
        return self.save(request, Artifact("speech", "audio/wav", wav(request), {"peaks": [0.5]}), owner)

    def file(self, id: str, end: str = "png") -> Path:
        return self.data / "files" / id[:2] / f"{id}.{end}"

    def listed(self, owner: str = "ann") -> list[str]:
        return [row.id for row in self.gallery.page(owner, None, 100)]

    def remove_database(self) -> None:
        for path in self.data.glob("triptych.db*"):
            path.unlink()


def wav(request: SpeechRequest) -> bytes:
    """As the voices write it."""
    import av
    import numpy as np

    from pipelines.speech.audio.encoding import Encoder, tags

    encoder = Encoder(request.format, 24000, tags(request.text, "heart", request.model_dump_json()))
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 2400), np.int16), "s16", "mono")
    frame.rate = 24000
    encoder.add(frame)
    return encoder.close()
