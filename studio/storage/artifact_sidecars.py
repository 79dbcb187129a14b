"""What the gallery knows of a file, written beside it: `<id>.json` next to `<id>.png`, so that a row can be made anew.

Pictures and sounds carry their request themselves, too (PNG text, the comment of a sound), for other programs and for
files that have lost what lay beside them; only whose they are is not in there, as people pass them on.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Annotated

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines import requests
from pipelines.errors import InvalidRequest
from pipelines.requests import Request
from studio.formats import png
from studio.storage.records import ArtifactRow

SUFFIX = ".json"
SOFTWARE = "Triptych"
SOUNDS = ("wav", "flac", "mp3", "ogg")
Word = Annotated[str, Field(min_length=1, max_length=1000)]


class Sidecar(BaseModel):
    """An artifact's row but for what the file itself tells. created: seconds since the epoch; width, height: pixels."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    software: str = SOFTWARE
    owner: Word
    job: Word
    kind: Word
    media_type: Word
    width: int | None = None
    height: int | None = None
    model: Word
    words: str = ""
    seed: int | None = None
    created: float
    hidden: bool = False
    request: dict
    info: dict


def encode(row: ArtifactRow) -> bytes:
    told = Sidecar(
        owner=row.owner, job=row.job_id, kind=row.kind, media_type=row.media_type, width=row.width, height=row.height,
        model=row.model, words=row.prompt, seed=row.seed, created=row.created, hidden=bool(row.hidden),
        request=json.loads(row.request), info=json.loads(row.info),
    )  # fmt: skip
    return json.dumps(told.model_dump(), ensure_ascii=False, indent=1).encode("utf-8", "replace")


def row_of(file: Path, media_type: str, owner: str) -> ArtifactRow | None:
    """The row of a file from what lies beside it or in it; None where neither tells. Never raises.

    owner: whose it is where only the file itself tells of its request.
    """
    try:
        size, made = file.stat().st_size, file.stat().st_mtime
        told = _beside(file, media_type) or _inside(file, media_type, owner, made)
        if told is None:
            return None
        request = requests.from_json(json.dumps(told.request))
        words = file.read_text("utf-8", "replace") if told.kind == "caption" else told.words
    except (OSError, InvalidRequest, RecursionError):
        return None
    return ArtifactRow(
        id=file.stem, owner=told.owner, job_id=told.job, kind=told.kind, media_type=media_type, width=told.width,
        height=told.height, bytes=size, model=told.model, prompt=words, seed=told.seed, created=told.created,
        hidden=told.hidden, request=request.model_dump_json(), info=json.dumps(told.info, ensure_ascii=False),
    )  # fmt: skip


def _beside(file: Path, media_type: str) -> Sidecar | None:
    try:
        told = Sidecar.model_validate_json(file.with_suffix(SUFFIX).read_bytes())
    except (OSError, ValidationError):
        return None
    return told if told.media_type == media_type else None


def _inside(file: Path, media_type: str, owner: str, made: float) -> Sidecar | None:
    """made: seconds since the epoch at which the file was written, the only time that there is of it."""
    found = _embedded(file, media_type)
    if found is None:
        return None
    request, info, size = found
    return Sidecar(
        owner=owner, job=file.stem, kind=request.kind, media_type=media_type, width=size[0], height=size[1],
        model=request.model, words=request.words, seed=getattr(request, "seed", None), created=made,
        hidden=getattr(request, "filmstrip", False), request=request.model_dump(mode="json"), info=info,
    )  # fmt: skip


def _embedded(file: Path, media_type: str) -> tuple[Request, dict, tuple[int, int]] | None:
    """Request, what the pipeline said, and size in pixels, from the file itself."""
    try:
        if media_type == "image/png":
            data = file.read_bytes()
            told = json.loads(png.texts(data)["triptych"])
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                size = image.size
        else:
            # sounds of former versions say all but the kind
            told, size = {"request": {"kind": "speech", **json.loads(_comment(file))}}, (0, 0)
        request = requests.from_json(json.dumps(told.pop("request")))
    except Exception:  # whatever is wrong with a file, it only has nothing to tell
        return None
    return request, {key: value for key, value in told.items() if key != "software"}, size


def _comment(file: Path) -> str:
    """The comment of a sound. PyAV is loaded only for this: sounds without a sidecar are rare."""
    if file.suffix[1:] not in SOUNDS:
        raise ValueError("not a sound")
    import av

    with av.open(str(file), "r", options={"format_whitelist": file.suffix[1:]}) as sound:
        tags = {**sound.metadata, **sound.streams.audio[0].metadata}
    return {key.lower(): text for key, text in tags.items()}["comment"]
