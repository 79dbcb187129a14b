"""What a person sets for the device arrives where models are opened."""

from __future__ import annotations

from pathlib import Path

import torch

from pipelines.requests import ImageRequest
from studio.settings import load
from studio.worker.process import open_model_pool
from studio.worker.supervisor import worker_settings


def test_flags_reach_the_pipelines(tiny_models: Path, tmp_path: Path):
    flags = ["--data-dir", str(tmp_path), "--models-dir", str(tiny_models), "--device", "cpu", "--memory", "2",
             "--dtype", "bfloat16", "--offload", "--threads", "1"]  # fmt: skip
    before = torch.get_num_threads()
    try:
        shelf = open_model_pool(worker_settings(load(flags)))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    assert shelf.memory_budget == 2 * 2**30
    parts = shelf.pipeline(ImageRequest(model="tiny", width=64, height=64)).parts
    assert parts.unet.dtype == torch.bfloat16
    assert parts.tile_above > 0


def test_without_flags_the_device_decides(tiny_models: Path, tmp_path: Path):
    flags = ["--data-dir", str(tmp_path), "--models-dir", str(tiny_models), "--device", "cpu"]
    shelf = open_model_pool(worker_settings(load(flags)))
    assert shelf.pipeline(ImageRequest(model="tiny", width=64, height=64)).parts.dtype == torch.float32
    assert shelf.memory_budget > 2**30
