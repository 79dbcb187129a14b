"""Tiny models on disk, opened once, and diffusers' own pipelines over the same folders to compare with."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.catalog.catalog import Catalog
from pipelines.image.pipeline import ImagePipeline
from pipelines.runtime.model_pool import ModelPool
from tests.pipelines.support.image_requests import START, request
from tests.support import tiny


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models: sd, sdxl, lcm, turbo, v, sample, taesd, inpaint, inpaint-xl, instruct, instruct-xl."""
    parent = tmp_path_factory.mktemp("models")
    tiny.tiny_sd(parent / "sd")
    tiny.tiny_sdxl(parent / "sdxl")
    tiny.tiny_lcm(parent / "lcm")
    tiny.tiny_turbo(parent / "turbo")
    tiny.tiny_v(parent / "v")
    tiny.tiny_sd(parent / "sample", prediction_type="sample")
    tiny.tiny_sd(parent / "taesd", vae="tiny")
    for end, xl in (("", False), ("-xl", True)):
        tiny.tiny_inpaint(parent / f"inpaint{end}", xl=xl)
        tiny.tiny_instruct(parent / f"instruct{end}", xl=xl)
    return parent


@pytest.fixture(scope="session")
def shelf(models: Path) -> ModelPool:
    """One thread: models this small are no faster with more, and far slower where the cores are busy."""
    shelf = ModelPool(Catalog([models]), "cpu")
    torch.set_num_threads(1)
    return shelf


@pytest.fixture
def pipeline(shelf: ModelPool) -> Callable[[str], ImagePipeline]:
    """The open pipeline of a model id."""
    return lambda model: shelf.pipeline(request(model=model, start_picture=START))


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A 64 x 64 PNG of colours."""
    values = np.random.default_rng(3).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    image = Image.fromarray(values).resize((64, 64), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
