"""Runs that can live on any device: files of bounded size, cut in two as if whole, and no half checkpoint."""

import pytest
import torch
from torch import nn

from pipelines.training import checkpoints, precision
from pipelines.training.device_run import DeviceRun
from pipelines.training.loop import Budget
from pipelines.training.optimizer import Muon, split


def make(folder) -> DeviceRun:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(40, 48), nn.SiLU(), nn.Linear(48, 40))
    return DeviceRun(folder, model, Muon(split(model, 1e-2, 1e-2)))


def train(run: DeviceRun, steps: int) -> None:
    def loss(x, generator):
        return (run.model(x) - x + torch.randn(x.shape, generator=generator)).square().mean(), len(x)

    run.train(lambda generator: torch.randn(8, 40, generator=generator), loss, Budget(steps=steps))


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.training.device_run.learning_rate", lambda progress: 1.0)
    whole = make(tmp_path / "whole")
    train(whole, 8)
    train(make(tmp_path / "cut"), 3)
    second = make(tmp_path / "cut")
    assert second.resume()
    train(second, 8)
    assert (second.step, second.seen) == (8, 64)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(second.model.state_dict()[name], value), name
        assert torch.equal(second.average[name], whole.average[name]), name


def test_no_file_is_larger_than_may_be_carried(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "LARGEST", "4KB")
    tensors = {f"part{i}": torch.full((500,), float(i)) for i in range(6)}
    target = checkpoints.write(tmp_path, 5, tensors, {"step": 5})
    files = list(target.glob("*.safetensors"))
    assert len(files) > 1
    assert max(f.stat().st_size for f in files) < 5000
    again, counters = checkpoints.read(target)
    assert counters == {"step": 5}
    assert all(torch.equal(again[k], v) for k, v in tensors.items())


def test_the_newest_checkpoint_counts_and_half_a_one_does_not(tmp_path):
    for step in (90, 1000, 200):
        (tmp_path / f"checkpoint-{step}").mkdir()
    (tmp_path / "checkpoint.part").mkdir()
    assert [p.name for p in checkpoints.found(tmp_path)] == ["checkpoint-90", "checkpoint-200", "checkpoint-1000"]
    checkpoints.write(tmp_path, 1200, {"a": torch.zeros(1)}, {})
    assert [p.name for p in checkpoints.found(tmp_path)] == ["checkpoint-1200"]


@pytest.mark.parametrize("able", [True, False])
def test_half_precision_only_where_the_processor_multiplies_it(monkeypatch, able):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": able})
    assert precision.half("cpu") == (torch.bfloat16 if able else torch.float32)
    with precision.autocast("cpu"):
        assert torch.nn.functional.linear(torch.ones(1, 2), torch.ones(1, 2)).dtype == precision.half("cpu")
    assert precision.half("cuda") == torch.bfloat16
