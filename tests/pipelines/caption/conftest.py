"""Tiny captioners with random weights in the real classes, and a tiny CLIP that checks them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.alignment.opening import open_alignment
from pipelines.caption.opening import open_captioner
from pipelines.caption.pipeline import CaptionPipeline
from pipelines.catalog import folders
from pipelines.requests import CaptionRequest
from pipelines.runtime.options import Options
from tests.pipelines.alignment import tiny as aligned
from tests.pipelines.caption import tiny, tiny_chat

OPTIONS = Options(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], CaptionPipeline]:
    """The open pipeline of a family, made when it is first asked for."""
    parent, known = tmp_path_factory.mktemp("captioners"), {}
    entry = folders.read("clip", aligned.clip(parent / "clip"), "folder")
    judge = open_alignment(entry, OPTIONS, lambda text, part: None)

    def open(family: str) -> CaptionPipeline:
        if family not in known:
            make = getattr(tiny, family, None) or getattr(tiny_chat, family)
            entry = folders.read(family, make(parent / family), "folder")
            known[family] = open_captioner(entry, OPTIONS, lambda text, part: None, lambda: judge)
        return known[family]

    return open


@pytest.fixture(scope="session")
def uploads() -> dict[str, bytes]:
    """Five pictures by their SHA-256."""
    draw, found = np.random.default_rng(8), {}
    for size in [(32, 32), (64, 40), (40, 64), (50, 50), (90, 30)]:
        image = Image.fromarray(draw.integers(0, 255, (4, 4, 3), dtype=np.uint8)).resize(size)
        file = io.BytesIO()
        image.save(file, "PNG")
        found[hashlib.sha256(file.getvalue()).hexdigest()] = file.getvalue()
    return found


@pytest.fixture(scope="session")
def ask(uploads: dict[str, bytes]) -> Callable[..., CaptionRequest]:
    """A request for one of the pictures; one candidate if not asked otherwise."""

    def make(number: int = 0, **fields: object) -> CaptionRequest:
        plain = {"candidates": 1, "seed": 7, "model": "tiny", "verify": False, "max_tokens": 40}
        return CaptionRequest(picture=list(uploads)[number], **(plain | fields))

    return make


@pytest.fixture(scope="session")
def run(uploads: dict[str, bytes]) -> Callable:
    """Takes jobs to their end, all those with equal keys together, as the scheduler does; gives the states."""

    def drive(pipeline: CaptionPipeline, *requests: CaptionRequest) -> list:
        states = [pipeline.prepare(request, uploads) for request in requests]
        while waiting := [state for state in states if state.steps_left]:
            key = pipeline.batch_key(waiting[0])
            together = [state for state in waiting if pipeline.batch_key(state) == key]
            before = [state.steps_left for state in together]
            pipeline.step(together)
            assert all(state.steps_left < left for state, left in zip(together, before, strict=True))
        return states

    return drive
