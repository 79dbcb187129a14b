"""How well what was made agrees with what was asked for, in the alignment's eyes: as a whole, and part by part."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

from PIL import Image

from pipelines.base import Artifact
from pipelines.requests import ImageRequest, Request
from studio.worker.runner.tasks import Alignment

PROMPT = -1  # the number of the prompt among the parts


def scored(
    alignment: Alignment, artifacts: Sequence[Artifact], requests: Sequence[Request], files: Mapping[str, bytes]
) -> list[Artifact]:
    """The artifacts with `info["alignment"]`, of composed ones `info["agreement"]`, and their vector.

    Sounds have no score, only the place of their text. files: stored pictures by their SHA-256.
    """
    pictures = [_picture(artifact) for artifact in artifacts]
    judged = alignment.judge(pictures, [request.words for request in requests])
    infos = [artifact.info | _said(found) for artifact, found in zip(artifacts, judged, strict=True)]
    for i, agreement in _agreements(alignment, pictures, requests, files).items():
        infos[i]["agreement"] = agreement
    made = zip(artifacts, judged, infos, strict=True)
    return [replace(artifact, vector=found.vector, info=info) for artifact, found, info in made]


def heard(request: ImageRequest) -> tuple[dict[int, str], dict[int, str]]:
    """Texts, and SHA-256 of pictures, by the number of their part. Pictures that were deleted are still parts."""
    texts = {i: part.text for i, part in enumerate(request.parts) if part.text.strip()}
    if request.prompt.strip():
        texts = {PROMPT: request.prompt} | texts
    return texts, {i: part.picture for i, part in enumerate(request.parts) if part.picture}


def opened(data: bytes) -> Image.Image:
    """RGB."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def _agreements(alignment: Alignment, pictures: Sequence, requests: Sequence[Request], files: Mapping) -> dict:
    """Of each composed picture, by its place: [{"part", "score", "cosine"}], the prompt first."""
    composed = {i: request for i, request in enumerate(requests)
                if isinstance(request, ImageRequest) and request.parts and pictures[i]}  # fmt: skip
    if not composed:
        return {}
    asked = [heard(request) for request in composed.values()]
    shown = [{i: opened(files[sha]) for i, sha in parts.items() if sha in files} for _, parts in asked]
    texts = [said for said, _ in asked]
    found = alignment.agree([pictures[i] for i in composed], [list(said.values()) for said in texts],
                            [list(some.values()) for some in shown])  # fmt: skip
    return {i: _listed([*said, *some], agreed)
            for i, said, some, agreed in zip(composed, texts, shown, found, strict=True)}  # fmt: skip


def _listed(numbers: Sequence[int], agreed: Sequence) -> list[dict]:
    return [{"part": number, "score": round(each.score, 4), "cosine": round(each.cosine, 4)}
            for number, each in zip(numbers, agreed, strict=True)]  # fmt: skip


def _said(found) -> dict:
    if found.score is None:
        return {}
    return {"alignment": {"score": round(found.score, 4), "cosine": round(found.cosine, 4)}}


def _picture(artifact: Artifact) -> Image.Image | None:
    return opened(artifact.data) if artifact.media_type.startswith("image/") else None
