"""Schedules, and a run that was cut in two gives what the whole one gives."""

import math
import os

import numpy as np
import pytest
import torch
from torch import nn

from pipelines.training.loop import Budget, Run, learning_rate, learnt_since
from pipelines.training.models.image.denoiser import SIGMA_MAX, angles, betas, draw_times
from pipelines.training.optimizer import Muon, orthogonal, split


def make(folder) -> Run:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(40, 48), nn.SiLU(), nn.Linear(48, 40))
    return Run(folder, model, Muon(split(model, 1e-2, 1e-2)))


def train(run: Run, steps: int) -> None:
    def batch(draw):
        return torch.from_numpy(draw.standard_normal((8, 40))).float()

    def loss(x, generator):
        return (run.model(x) - x + torch.randn(x.shape, generator=generator)).square().mean(), len(x)

    run.train(batch, loss, Budget(steps=steps))


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.training.loop.learning_rate", lambda progress: 1.0)  # it depends on the whole length
    whole = make(tmp_path / "whole")
    train(whole, 8)
    first = make(tmp_path / "cut")
    train(first, 3)
    second = make(tmp_path / "cut")
    assert second.resume()
    train(second, 8)
    assert (second.step, second.seen) == (8, 64)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(second.model.state_dict()[name], value), name
        assert torch.equal(second.average[name], whole.average[name]), name


def test_a_finished_cycle_is_followed_by_another(tmp_path):
    run = make(tmp_path)
    assert run.cycle(2.0).minutes == 2.0
    run.seconds = 60.0
    assert run.cycle(9.0).minutes == 2.0
    run.seconds = 121.0
    assert run.cycle(9.0).minutes == 9.0
    assert run.seconds == 0.0


def test_the_rate_rises_stays_and_falls():
    assert learning_rate(0.0) < 0.2
    assert learning_rate(0.3) == pytest.approx(1.0)
    assert learning_rate(0.8) < 0.6
    assert learning_rate(1.0) == pytest.approx(0.01)


def test_the_schedule_keeps_what_its_angles_say():
    kept = np.cumprod(1 - np.array(betas()))
    assert np.allclose(kept, np.cos(angles()) ** 2)
    assert math.sqrt((1 - kept[-1]) / kept[-1]) == pytest.approx(SIGMA_MAX, rel=1e-6)
    times = draw_times(np.random.default_rng(0), 1000)
    assert times.min() >= 0
    assert times.max() < 1000


def test_muon_sets_singular_values_to_about_one():
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(2, 32, 64)).float())
    assert values.min() > 0.4
    assert values.max() < 1.4


def test_what_was_learnt_since_is_noticed(tmp_path):
    assert not learnt_since(tmp_path, "captioner", ["vision"])
    for number, name in enumerate(("captioner", "vision")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.safetensors").touch()
        os.utime(tmp_path / name / "state.safetensors", (number, number))
    assert learnt_since(tmp_path, "captioner", ["layout", "vision"])
    assert not learnt_since(tmp_path, "captioner", ["layout"])
    assert not learnt_since(tmp_path, "vision", ["captioner"])
