"""What comes out: pictures, filmstrips, previews, facts."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from PIL import Image

from pipelines.image import entry, preview
from pipelines.image.start.latents import to_image
from pipelines.requests import Sampler
from pipelines.training.evaluation import preview_fit
from tests.pipelines.support.image_requests import START, request, run


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("model", ["sd", "sdxl", "taesd"])
def test_a_finished_job_is_a_png_without_metadata(model, pipeline):
    (state,) = run(pipeline(model), request(model=model, width=72, height=64, seed=5))
    made = pipeline(model).finish(state)
    image = opened(made.data)
    assert (made.kind, made.media_type, image.format, image.size, image.info) == (
        "image", "image/png", "PNG", (72, 64), {},
    )  # fmt: skip
    facts = {"width": 72, "height": 64, "seed": 5, "steps": 4, "sampler": "DPM++ 2M", "notes": []}
    assert facts.items() <= made.info.items()


def test_the_picture_is_the_decoded_latents(pipeline, models):
    ours = pipeline("sd")
    (state,) = run(ours, request())
    vae = AutoencoderKL.from_pretrained(models / "sd" / "vae")
    with torch.inference_mode():
        pixels = vae.decode(state.latents / vae.config.scaling_factor).sample[0]
    expected = ((pixels / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0)
    ours_pixels = torch.tensor(list(opened(ours.finish(state).data).tobytes())).view(64, 64, 3)
    assert (ours_pixels - expected).abs().max() <= 1


@pytest.mark.parametrize(("steps", "frames"), [(12, 8), (8, 8), (3, 3), (1, 1)])
def test_a_filmstrip_shows_eight_steps_and_ends_with_the_picture(steps, frames, pipeline):
    ours = pipeline("sd")
    film, plain = (run(ours, request(steps=steps, filmstrip=strip))[0] for strip in (True, False))
    strip, image = opened(ours.finish(film).data), opened(ours.finish(plain).data)
    assert strip.size == (64 * frames, 64)
    assert strip.crop((64 * (frames - 1), 0, 64 * frames, 64)).tobytes() == image.tobytes()


@pytest.mark.parametrize("model", ["sd", "sdxl", "v", "sample"])
def test_previews_are_small_pictures_of_the_right_shape(model, pipeline):
    ours = pipeline(model)
    state = ours.prepare(request(model=model, width=128, height=64), {})
    assert ours.preview(state) is None
    ours.step([state])
    assert ours.preview(state).size == (256, 128)


@pytest.mark.parametrize("size", [(48, 4, 3, 3), (3, 4, 1, 1), (12, 4, 5, 5)])
def test_a_preview_is_a_convolution_and_an_unfolding(size, pipeline, monkeypatch):
    draws = torch.Generator().manual_seed(1)
    weight, bias = 0.2 * torch.randn(size, generator=draws), 0.1 * torch.randn(size[0], generator=draws)
    monkeypatch.setattr(preview, "_map", lambda *_: (weight, bias))
    ours = pipeline("sd")
    latents = torch.randn(1, 4, 8, 4, generator=draws)
    latents[..., :2, :] *= 1e6  # out of bounds: black or white
    plain = torch.nn.functional.conv2d(latents, weight, bias, padding=size[-1] // 2)
    image = to_image(torch.nn.functional.pixel_shuffle(plain, round((size[0] / 3) ** 0.5))[0]).resize((128, 256), 3)
    drawn = np.asarray(preview.Preview(ours.parts, ours.entry)(latents), int)
    assert drawn.shape == (256, 128, 3)
    assert np.abs(drawn - np.asarray(image, int)).max() <= 2  # a level either way, and again where it is enlarged


@pytest.mark.parametrize("sampler", list(Sampler))
@pytest.mark.parametrize("model", ["sd", "v"])
def test_the_foreseen_latents_end_as_the_latents(sampler, model, pipeline):
    ours = pipeline(model)
    state = ours.prepare(request(model=model, sampler=sampler), {})
    while state.steps_left > 1:
        ours.step([state])
        assert state.clean_latents().isfinite().all()
    ours.step([state])
    assert torch.equal(state.clean_latents(), state.latents)


def test_a_fitted_preview_is_near_the_decoder(pipeline):
    vae = pipeline("sd").parts.vae
    latents = torch.randn(24, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    fitted = preview_fit.fit(vae, latents)
    assert fitted["weight"].shape == (48, 4, 3, 3)
    with torch.inference_mode():
        pixels = vae.decode(latents / vae.config.scaling_factor).sample.clamp(-1, 1)
    small = torch.nn.functional.interpolate(pixels, (32, 32), mode="area")
    guess = torch.nn.functional.conv2d(latents, fitted["weight"], fitted["bias"], padding=1)
    error = (torch.nn.functional.pixel_shuffle(guess, 4) - small).square().mean()
    assert error < 0.8 * small.var()


@pytest.mark.parametrize("sampler", list(Sampler))
@pytest.mark.parametrize("start", [None, START])
def test_the_predicted_number_of_model_calls_is_right(sampler, start, pipeline, picture):
    asked = request(sampler=sampler, start_picture=start, steps=5, strength=0.5)
    state = pipeline("sd").prepare(asked, {START: picture})
    assert state.steps_total == asked.expected_steps
    assert state.rows == asked.expected_rows == entry.rows(pipeline("sd").entry, asked)
