"""NaN hits one job only; running out of memory moves nobody."""

from __future__ import annotations

import pytest
import torch

from pipelines.errors import BadUpload, InvalidRequest, NotFinite, OutOfMemory
from pipelines.requests import Sampler
from tests.pipelines.support.image_requests import START, request, run
from tests.support.rounding import assert_same_latents

SHORT = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: not enough memory: you tried to allocate"
)


def test_nan_fails_its_own_job_only(pipeline):
    ours = pipeline("sd")
    asked = [request(seed=i, guidance_scale=1.0 + i) for i in range(3)]
    states = [ours.prepare(each, {}) for each in asked]
    states[1].latents = states[1].latents * float("nan")
    ours.step(states)
    assert [type(state.error) for state in states] == [type(None), NotFinite, type(None)]
    with pytest.raises(NotFinite):
        ours.finish(states[1])
    healthy = [states[0], states[2]]
    while healthy[0].steps_left:
        ours.step(healthy)
    for state in healthy:
        (alone,) = run(ours, state.request)
        assert_same_latents(state.latents, alone.latents)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory."), SHORT, MemoryError()])
def test_out_of_memory_in_the_model_moves_nobody(error, pipeline, monkeypatch):
    ours = pipeline("sd")
    states = [ours.prepare(request(seed=i, sampler=Sampler.EULER_A), {}) for i in range(2)]
    ours.step(states)

    def fail(*_: object, **__: object):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(ours.parts.unet, "forward", fail)
        with pytest.raises(OutOfMemory):
            ours.step(states)
    assert [state.steps_left for state in states] == [3, 3]
    _finish_as_alone(ours, states)


@pytest.mark.parametrize("sampler", list(Sampler))
def test_out_of_memory_in_a_later_sampler_moves_nobody(sampler, pipeline, monkeypatch):
    ours = pipeline("sd")
    states = [ours.prepare(request(seed=i, sampler=sampler), {}) for i in range(2)]
    ours.step(states)

    def fail(*_: object, **__: object):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with monkeypatch.context() as patch:
        patch.setattr(states[1].sampler, "step", fail)
        with pytest.raises(OutOfMemory):
            ours.step(states)
    _finish_as_alone(ours, states)


def _finish_as_alone(ours, states) -> None:
    while states[0].steps_left:
        ours.step(states)
    for state in states:
        (alone,) = run(ours, state.request)
        assert_same_latents(state.latents, alone.latents)


def test_other_errors_are_not_taken_for_memory(pipeline, monkeypatch):
    ours = pipeline("sd")

    def fail(*_: object, **__: object):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(ours.parts.unet, "forward", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        ours.step([ours.prepare(request(), {})])


def test_a_start_picture_that_is_missing_or_no_picture(pipeline):
    asked = request(start_picture=START)
    with pytest.raises(InvalidRequest, match="start_picture"):
        pipeline("sd").prepare(asked, {})
    with pytest.raises(BadUpload, match="cannot be read"):
        pipeline("sd").prepare(asked, {START: b"a text file"})
