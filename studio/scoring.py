"""How well what was made agrees with what was asked for, in the alignment's eyes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from pipelines.base import Artifact
from studio.tasks import Alignment


def scored(alignment: Alignment, artifacts: Sequence[Artifact], texts: Sequence[str]) -> list[Artifact]:
    """The artifacts with `info["alignment"]` and their vector. Sounds have no score, only the place of their text."""
    pictures = [_picture(artifact) for artifact in artifacts]
    judged = alignment.judge(pictures, texts)
    return [
        replace(artifact, vector=found.vector, info=artifact.info | _said(found))
        for artifact, found in zip(artifacts, judged, strict=True)
    ]


def _said(found) -> dict:
    if found.score is None:
        return {}
    return {"alignment": {"score": round(found.score, 4), "cosine": round(found.cosine, 4)}}


def _picture(artifact: Artifact) -> Image.Image | None:
    if not artifact.media_type.startswith("image/"):
        return None
    return Image.open(io.BytesIO(artifact.data)).convert("RGB")
