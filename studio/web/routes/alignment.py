"""Questions to the alignment about one picture: which of my words fit it, and where in it a word is."""

from __future__ import annotations

import asyncio
import io
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Body, Request
from PIL import Image

from pipelines import requests
from pipelines.base import Artifact
from pipelines.errors import InvalidRequest
from studio.formats.heatmap import overlay
from studio.web.answers import answered
from studio.web.context import Here, Owner, Studio

router = APIRouter(prefix="/api/alignment", tags=["captions"])
SECONDS = 60.0  # a person waits so long at most; the device may be busy with a batch
Sha = Annotated[str, Body(max_length=64)]
Words = Annotated[list[Annotated[str, Body(max_length=100)]], Body(max_length=200)]


@router.post("/labels")
async def labels(http: Request, studio: Here, owner: Owner, picture: Sha, labels: Words) -> dict:
    """How a stored picture (its SHA-256) is shared among labels of one's own, the best first.

    share: 0…1, all together 1 (with SigLIP: each by itself). standing: the share of 64 captions of other pictures that
    the label fits the picture better than; near 0.5 it is a guess, whatever its share.
    """
    wanted = list(dict.fromkeys(word.strip() for word in labels if word.strip()))
    if not wanted:
        raise InvalidRequest("labels", "nothing", "one word or more, separated by commas")
    info = (await _asked(http, studio, owner, pictures=(picture,), labels=wanted)).info
    found = zip(wanted, info["labels"][0], info["standing"][0], strict=True)
    lines = [{"label": label, "share": share, "standing": standing} for label, share, standing in found]
    return {"labels": sorted(lines, key=lambda line: -line["share"]), "notes": info["notes"]}


@router.post("/heatmap")
async def heatmap(
    http: Request, studio: Here, owner: Owner, picture: Sha, text: Annotated[str, Body(max_length=500)]
) -> dict:
    """Where in a stored picture (its SHA-256) the words fit. image: a picture to lay over it, as a data URI.

    peak: 0…1, how far the best place stands out; under 1 that is less than 64 other captions do by chance.
    """
    if not text.strip():
        raise InvalidRequest("text", "nothing", "a word or a phrase")
    answer = await _asked(http, studio, owner, pictures=(picture,), texts=(text.strip(),), heatmap=True)
    return await asyncio.to_thread(_laid_over, studio, owner, picture, answer)


def _laid_over(studio: Studio, owner: str, picture: str, answer: Artifact) -> dict:
    told = answer.info["heatmap"]
    values = np.frombuffer(answer.data, "<f4").reshape(told["height"], told["width"])
    with Image.open(io.BytesIO(studio.gallery.upload(owner, picture))) as image:
        laid = overlay(values, told["views"][0], image.size)
    return {"image": laid, "peak": round(float(values.max()), 3), "notes": answer.info["notes"]}


async def _asked(http: Request, studio: Studio, owner: str, **fields: object) -> Artifact:
    return await answered(http, studio, owner, requests.make("align", **fields), SECONDS)
