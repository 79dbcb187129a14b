"""Parts by turns, layer by layer, in tiles, in other number formats, compiled or not: the picture is the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pipelines.catalog.catalog import Catalog
from pipelines.errors import TooLarge
from pipelines.image import entry as checks
from pipelines.image.model import fast_unet, loading, placing
from pipelines.image.pipeline import ImagePipeline
from pipelines.runtime import devices
from pipelines.runtime.model_pool import ModelPool
from pipelines.runtime.options import Options
from tests.pipelines.support.image_requests import START, difference, request, run
from tests.support.rounding import assert_same_latents, assert_same_picture

CPU = torch.device("cpu")


def opened(models: Path, model: str = "sd", **options: object) -> ImagePipeline:
    entry = Catalog([models]).find(model)
    parts = loading.load(entry, Options(CPU, torch.float32, **options), lambda *_: None)
    return ImagePipeline(parts, entry)


def modules(pipeline: ImagePipeline) -> list[torch.nn.Module]:
    parts = pipeline.parts
    return [*parts.text_encoders, parts.unet, parts.vae]


@pytest.mark.parametrize("model", ["sd", "sdxl", "taesd"])
@pytest.mark.parametrize("room", ["all but one", "one", "none"])
def test_a_model_that_does_not_fit_gives_the_same_picture(model, room, models: Path, pipeline, picture: bytes):
    """Both with turns (the parts fit one by one) and layer by layer; the device here is the CPU itself."""
    ours = opened(models, model)
    sizes = [devices.nbytes(module) for module in modules(ours)]
    fast_unet.undo(ours.parts.unet)
    bytes_there = {"all but one": sum(sizes) - 1, "one": max(sizes), "none": 1}[room]
    held = placing.offload(modules(ours), CPU, bytes_there)
    assert held <= bytes_there
    asked = [request(model=model, seed=1), request(model=model, seed=2, start_picture=START, strength=0.8)]
    for state, alone in zip(*(run(each, *asked, pictures={START: picture}) for each in (ours, pipeline(model))),
                            strict=True):  # fmt: skip
        assert_same_latents(state.latents, alone.latents)
        assert_same_picture(ours.finish(state).data, pipeline(model).finish(alone).data)


def test_the_part_that_was_called_longest_ago_leaves_first(models: Path):
    ours = opened(models)
    text, unet, vae = modules(ours)
    turns = placing.Turns(CPU, devices.nbytes(unet) + max(devices.nbytes(text), devices.nbytes(vae)))
    seen = []
    for module in (text, unet, vae, unet, text):
        turns.pre_forward(module)
        seen.append(turns.present.copy())
    assert seen == [[text], [text, unet], [unet, vae], [vae, unet], [unet, text]]


def test_with_offload_only_one_part_is_there_at_a_time(models: Path):
    ours = opened(models)
    held = placing.offload(modules(ours), CPU, 10**9, alone=True)
    assert held == max(map(devices.nbytes, modules(ours)))
    (state,) = run(ours, request())
    ours.finish(state)
    assert ours.parts.unet._hf_hook.present == [ours.parts.vae]


def test_a_large_picture_is_decoded_in_tiles_where_memory_is_short(models: Path, pipeline, monkeypatch):
    monkeypatch.setattr(checks, "TILE", 32)
    short = opened(models, activations=checks.DECODE_BYTES_PER_PIXEL * 64 * 64)
    (small,) = run(pipeline("sd"), request(seed=3))
    (large,) = run(pipeline("sd"), request(seed=3, width=96))
    assert_same_picture(short.finish(small).data, pipeline("sd").finish(small).data)  # fits in whole
    tiled, whole = (torch.tensor(list(each.finish(large).data)) for each in (short, pipeline("sd")))
    assert short.finish(large).info["width"] == 96
    assert len(tiled) != len(whole) or not torch.equal(tiled, whole)  # seams: it was done
    assert not pipeline("sd").parts.vae.use_tiling


@pytest.mark.parametrize("model", ["sd", "sdxl"])
def test_bfloat16_on_request(model, models: Path, pipeline):
    ours = ModelPool(Catalog([models]), "cpu", dtype="bfloat16", threads=1).pipeline(request(model=model))
    assert {ours.parts.unet.dtype, ours.parts.vae.dtype, ours.parts.dtype} == {torch.bfloat16}
    (state,) = run(ours, request(model=model))
    assert state.error is None
    noise = pipeline(model).prepare(request(model=model), {}).latents
    assert ours.finish(state).info["width"] == 64
    assert state.latents.isfinite().all()
    assert difference(state.latents.float(), noise) > 0


def test_without_a_compiler_steps_are_computed_as_they_stand(models: Path, pipeline, monkeypatch, caplog):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    ours = opened(models, compiled=True)
    assert "C++ compiler" in caplog.text
    (state,), (plain,) = run(ours, request()), run(pipeline("sd"), request())
    assert_same_latents(state.latents, plain.latents)


@pytest.mark.parametrize("broken", [False, True])
def test_a_compiler_that_fails_stops_no_picture(broken, models: Path, pipeline, monkeypatch):
    """Compiling takes minutes: torch.compile is stood in for by what it comes to."""
    from torch._dynamo.exc import BackendCompilerFailed

    calls = []

    def compiler(forward: Callable, dynamic: bool) -> Callable:
        def compiled(*args: object, **kwargs: object) -> object:
            calls.append(dynamic)
            if broken:
                raise BackendCompilerFailed(forward, RuntimeError("no such file"), None)
            return forward(*args, **kwargs)

        return compiled

    monkeypatch.setattr(placing, "compiles", lambda device: True)
    monkeypatch.setattr(torch, "compile", compiler)
    ours = opened(models, compiled=True)
    (state,), (plain,) = run(ours, request()), run(pipeline("sd"), request())
    assert_same_latents(state.latents, plain.latents)
    assert calls == [True] * (1 if broken else 4)


def test_weights_that_can_wait_in_main_memory_are_not_refused(models: Path):
    entry = Catalog([models]).find("sd")
    budget = checks.decoding(request()) + entry.weight_bytes(4) // 2
    with pytest.raises(TooLarge, match="smaller size or model"):
        entry.fits(request(), budget, 4)
    entry.fits(request(), budget, 4, spare=entry.weight_bytes(4))
    with pytest.raises(TooLarge):
        entry.fits(request(), budget, 4, spare=entry.weight_bytes(4) - 1)
