"""Speech: hear it while it is made, its subtitles, samples of voices, recordings to be cloned, texts out of files."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, UploadFile
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse

from pipelines.errors import NotAllowed, NotFound
from pipelines.requests import Priority, make
from studio import limits
from studio.formats import documents
from studio.storage.gallery import file_name
from studio.web import audio_stream, voice_samples
from studio.web.answers import answered
from studio.web.context import Here, Owner
from studio.web.uploading import UploadRoute

_MOST = limits.UPLOAD_BYTES + limits.MULTIPART_EXTRA_BYTES
router = APIRouter(prefix="/api", tags=["speech"], max_body_size=_MOST, route_class=UploadRoute)
_SOUND = {"description": "The sound", "content": {"audio/wav": {}}}
_NOTHING = {"description": "Nothing was spoken"}
_SUBTITLES = {"description": "The subtitles", "content": {"application/x-subrip": {}, "text/vtt": {}}}
MOST_SECONDS = 24 * 3600
SAMPLE_SECONDS = 120.0


@router.get("/jobs/{id}/audio", response_class=Response, responses={200: _SOUND, 204: _NOTHING})
def audio(
    studio: Here,
    owner: Owner,
    id: str,
    start: Annotated[float, Query(ge=0, le=MOST_SECONDS, allow_inf_nan=False)] = 0.0,
) -> Response:
    """A WAV (16 bit, mono) of a speech job from `start` seconds on: as it is spoken, or what was spoken of one that
    failed or was cancelled; nothing (204) where nothing was. A finished one leads to its file."""
    view = studio.engine.view(owner, id)
    if view["kind"] != "speech":
        raise NotAllowed("Only speech can be heard.")
    try:
        size = audio_stream.whole_size(studio.engine, owner, id, start)
    except NotFound:
        if view["artifact"] and not start:
            return RedirectResponse(view["artifact"]["url"], 307)
        return Response(status_code=204)
    sound = audio_stream.follow(studio.engine, owner, id, start, size)
    headers = {"Cache-Control": "no-store", "Accept-Ranges": "none"}
    return StreamingResponse(sound, media_type="audio/wav", headers=headers)


@router.get("/jobs/{id}/pieces")
def pieces(studio: Here, owner: Owner, id: str) -> dict:
    """What is known of the parts of a job that are ready, or were when it ended: the sentences and their times."""
    return {"pieces": studio.engine.pieces(owner, id)}


@router.get("/gallery/{id}/subtitles.{form}", response_class=Response, responses={200: _SUBTITLES})
def subtitles(studio: Here, owner: Owner, id: str, form: Literal["srt", "vtt"], words: bool = False) -> Response:
    """By sentence, or by word; the times are those of the file."""
    from pipelines.speech.subtitles import FORMS
    from pipelines.speech.subtitles import subtitles as written

    row = studio.gallery.artifact(owner, id)
    if row.kind != "speech":
        raise NotFound("Only a recording has subtitles.")
    sentences = json.loads(row.info).get("sentences")
    if sentences is None:  # found again without what was beside it
        raise NotFound("When the sentences of this recording are spoken is not known any more.")
    text = written(sentences, form, words)
    name = file_name(row).rpartition(".")[0]
    headers = {"Content-Disposition": f'inline; filename="{name}.{form}"', "Cache-Control": "private, max-age=3600"}
    return Response(text, media_type=FORMS[form], headers=headers)


@router.get("/voices/sample", response_class=FileResponse, responses={200: {"content": {"audio/mpeg": {}}}})
async def sample(
    http: Request,
    studio: Here,
    owner: Owner,
    model: Annotated[str, Query(min_length=1, max_length=200)],
    voice: Annotated[str, Query(max_length=200)] = "",
) -> FileResponse:
    """One sentence of a voice. It is spoken once and then remembered; it is nobody's job and comes into no gallery."""
    entry = await asyncio.to_thread(studio.catalog.find, model)
    text = voice_samples.sentence(entry, voice)
    fields = {"model": model, "voice": voice, "text": text, "seed": 1, "format": "mp3"}
    request = make("speech", **fields, priority=Priority.INTERACTIVE)
    name = hashlib.sha256(json.dumps(fields).encode()).hexdigest()
    path = studio.settings.data_dir / "samples" / f"{name}.mp3"
    if not path.exists():
        made = await answered(http, studio, owner, request, SAMPLE_SECONDS)
        await asyncio.to_thread(voice_samples.keep, path, made.data)
    return FileResponse(path, media_type="audio/mpeg", headers={"Cache-Control": "private, max-age=86400"})


@router.post("/recordings", status_code=201)
def recording(studio: Here, owner: Owner, file: UploadFile) -> dict:
    """Store a recording of a voice; its `sha256` goes into a request as `voice_sample`. seconds: of its sound."""
    from pipelines.speech.audio.recordings import told

    data = file.file.read()
    seconds = studio.apart(told, data)
    return {"sha256": studio.gallery.keep_recording(owner, data), **seconds}


@router.post("/text")
def text(studio: Here, owner: Owner, file: UploadFile) -> dict:
    """The text of a .txt, .md or .epub file, as parts (chapters) that can be spoken at once each."""
    return studio.apart(documents.document_values, file.filename or "", file.file.read())
