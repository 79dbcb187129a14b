"""Tiny CLIP, SigLIP and SigLIP 2 with random weights, in the real classes, opened as the studio opens them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.alignment.opening import open_alignment
from pipelines.alignment.pipeline import AlignmentPipeline
from pipelines.catalog import folders
from pipelines.runtime.options import Options
from tests.pipelines.alignment import tiny

OPTIONS = Options(torch.device("cpu"), torch.float32)
FAMILIES = ("clip", "siglip", "siglip2")


@pytest.fixture(scope="session")
def aligned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models: clip, siglip, siglip2."""
    parent = tmp_path_factory.mktemp("aligned")
    for family in FAMILIES:
        getattr(tiny, family)(parent / family)
    return parent


@pytest.fixture(scope="session")
def opened(aligned: Path) -> Callable[[str], AlignmentPipeline]:
    """The open pipeline of a family."""
    known: dict[str, AlignmentPipeline] = {}

    def open(family: str) -> AlignmentPipeline:
        if family not in known:
            entry = folders.read(family, aligned / family, "folder")
            known[family] = open_alignment(entry, OPTIONS, lambda text, part: None)
        return known[family]

    return open


@pytest.fixture(scope="session")
def images() -> list[Image.Image]:
    """Four pictures of blurred colours, of different shapes."""
    draw = np.random.default_rng(5)
    sizes = [(64, 64), (90, 60), (40, 100), (33, 47)]
    small = [draw.integers(0, 255, (5, 5, 3), dtype=np.uint8) for _ in sizes]
    return [Image.fromarray(a).resize(size, Image.Resampling.BICUBIC) for a, size in zip(small, sizes, strict=True)]
