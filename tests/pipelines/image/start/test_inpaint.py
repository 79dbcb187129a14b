"""Masks, margins and models that edit: diffusers' own pipelines give the same, and what is not masked stays."""

from __future__ import annotations

import io
from functools import cache

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.errors import BadUpload, InvalidRequest
from pipelines.image.start import masks
from pipelines.requests import Margins, Sampler
from tests.pipelines.image.test_parity import SCHEDULERS
from tests.pipelines.support.image_requests import START, request, run
from tests.support import tiny
from tests.support.rounding import assert_same_latents

MASK = "b" * 64
INPAINT = {"sd": diffusers.StableDiffusionInpaintPipeline, "sdxl": diffusers.StableDiffusionXLInpaintPipeline}
SOME = [Sampler.DPMPP_2M, Sampler.EULER_A, Sampler.HEUN, Sampler.DPMPP_SDE, Sampler.DDIM]


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def square(size=(64, 64), box=(16, 8, 48, 40), colour=255) -> Image.Image:
    mask = Image.new("L", size, 0)
    mask.paste(colour, box)
    return mask


@pytest.fixture(scope="module")
def files(picture: bytes) -> dict[str, bytes]:
    return {START: picture, MASK: png(square())}


@pytest.fixture(scope="module")
def theirs(models):
    """Final latents by diffusers' own pipeline."""

    @cache
    def opened(model: str, kind: type):
        pipe = kind.from_pretrained(models / model, local_files_only=True, safety_checker=None)
        pipe.set_progress_bar_config(disable=True)
        return pipe, pipe.scheduler.config

    def latents(asked, kind: type, **more: object) -> torch.Tensor:
        pipe, config = opened(asked.model, kind)
        pipe.scheduler = SCHEDULERS[asked.sampler](config)
        draws = torch.Generator().manual_seed(asked.seed)
        more |= {"num_inference_steps": asked.steps, "guidance_scale": asked.guidance_scale}
        negative = asked.negative_prompt or None
        return pipe(asked.prompt, negative_prompt=negative, generator=draws, output_type="latent", **more).images

    return latents


def mixed(model: str) -> list:
    """Masked jobs and their neighbours: plain ones, and with a start picture."""
    asked = []
    for i, sampler in enumerate(SOME):
        strength = (1.0, 0.6, 0.8)[i % 3]
        scale = (4.0, 1.0)[i % 2]
        fields = {"model": model, "sampler": sampler, "seed": i, "steps": 4 + i % 2, "guidance_scale": scale}
        asked.append(request(start_picture=START, mask=MASK, strength=strength, **fields))
        asked.append(request(**fields | {"seed": 50 + i, "start_picture": START if i % 2 else None}))
    return asked


@pytest.mark.parametrize("model", ["sd", "sdxl"])
def test_masked_jobs_in_a_mix_equal_diffusers(model, pipeline, theirs, files, picture):
    start, mask = Image.open(io.BytesIO(picture)), square()
    for state in run(pipeline(model), *mixed(model), pictures=files):
        if state.request.mask:
            more = {"image": start, "mask_image": mask, "strength": state.request.strength, "width": 64, "height": 64}
            expected = theirs(state.request, INPAINT[model], **more)
            assert_same_latents(state.latents, expected, state.request)


@pytest.mark.parametrize("model", ["inpaint", "inpaint-xl"])
@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_models_that_see_the_mask_equal_diffusers(model, strength, models, pipeline, theirs, files, picture):
    fields = {"model": model, "start_picture": START, "mask": MASK, "strength": strength, "steps": 5}
    asked = [request(seed=1, **fields), request(seed=2, guidance_scale=1.0, **fields)]
    more = {"image": Image.open(io.BytesIO(picture)), "mask_image": square(), "strength": strength,
            "width": 64, "height": 64}  # fmt: skip
    kind = INPAINT["sdxl" if "xl" in model else "sd"]
    for state in run(pipeline(model), *asked, request(model=model), pictures=files):
        if state.request.mask:
            assert_same_latents(state.latents, theirs(state.request, kind, **more))


@pytest.mark.parametrize("model", ["instruct", "instruct-xl"])
def test_models_that_edit_by_instruction_equal_diffusers(model, pipeline, theirs, files, picture):
    """Three rows a job beside jobs of one row."""
    fields = {"model": model, "start_picture": START, "steps": 4}
    asked = [
        request(seed=1, image_guidance_scale=1.5, **fields),
        request(seed=2, image_guidance_scale=2.5, guidance_scale=7.0, negative_prompt="a dog", **fields),
        request(seed=3, guidance_scale=1.0, **fields),
        request(seed=4, image_guidance_scale=0.5, **fields),
    ]
    xl = model == "instruct-xl"
    kind = (
        diffusers.StableDiffusionXLInstructPix2PixPipeline if xl else diffusers.StableDiffusionInstructPix2PixPipeline
    )
    states = run(pipeline(model), *asked, pictures=files)
    assert [state.rows for state in states] == [3, 3, 1, 1]
    for state in states:
        more = {"image": Image.open(io.BytesIO(picture)), "image_guidance_scale": state.request.image_guidance_scale}
        if xl:
            more |= {"width": 64, "height": 64}
        assert_same_latents(state.latents, theirs(state.request, kind, **more))


def test_a_model_that_edits_wants_a_picture(pipeline):
    with pytest.raises(InvalidRequest, match="start_picture"):
        pipeline("instruct").prepare(request(model="instruct"), {})


def made(ours, asked, files) -> tuple[Image.Image, list[str]]:
    (state,) = run(ours, asked, pictures=files)
    return Image.open(io.BytesIO(ours.finish(state).data)), state.notes


def same_where(one: Image.Image, other: Image.Image, where: Image.Image) -> bool:
    black = np.asarray(where) < 128
    return bool((np.asarray(one)[black] == np.asarray(other.convert("RGB"))[black]).all())


@pytest.mark.parametrize("model", ["sd", "inpaint", "instruct"])
@pytest.mark.parametrize("blur", [0, 8])
def test_what_is_not_masked_comes_back_to_the_last_bit(model, blur, pipeline, files, picture):
    image, _ = made(pipeline(model), request(model=model, start_picture=START, mask=MASK, mask_blur=blur), files)
    start = Image.open(io.BytesIO(picture))
    assert same_where(image, start, square())
    assert not same_where(image, start, Image.new("L", (64, 64), 0))


def test_a_part_that_says_where_is_the_start_picture(pipeline, files):
    ours, where = pipeline("sd"), [{"role": "where", "picture": START}]
    (one,) = run(ours, request(start_picture=START, mask=MASK), pictures=files)
    (other,) = run(ours, request(parts=where, mask=MASK), pictures=files)
    assert torch.equal(one.latents, other.latents)


def test_a_mask_of_another_size_is_resized_and_said(pipeline, files):
    double = files | {MASK: png(square((128, 128), (32, 16, 96, 80)))}
    image, notes = made(pipeline("sd"), request(start_picture=START, mask=MASK), double)
    assert "The mask is 128 x 128, the picture 64 x 64: it was resized." in notes
    assert same_where(image, Image.open(io.BytesIO(files[START])), square())


def test_an_all_black_mask_is_nothing_to_do(pipeline, files):
    with pytest.raises(InvalidRequest, match="nothing to do"):
        pipeline("sd").prepare(request(start_picture=START, mask=MASK), files | {MASK: png(square(colour=0))})


def test_an_all_white_mask_is_none(pipeline, files):
    white = files | {MASK: png(Image.new("L", (64, 64), 255))}
    ours = pipeline("sd")
    (masked,) = run(ours, request(start_picture=START, mask=MASK), pictures=white)
    (plain,) = run(ours, request(start_picture=START), pictures=files)
    assert torch.equal(masked.latents, plain.latents)
    assert "The mask is all white: the whole picture may change." in masked.notes


def test_only_masked_gives_the_picture_back_in_its_own_size(pipeline, files):
    large = Image.open(io.BytesIO(files[START])).convert("RGB").resize((300, 200))
    mask = square((300, 200), (120, 80, 150, 100))
    asked = request(start_picture=START, mask=MASK, only_masked=True, mask_padding=10, mask_blur=3)
    image, _ = made(pipeline("sd"), asked, {START: png(large), MASK: png(mask)})
    assert image.size == (300, 200)
    assert same_where(image, large, mask)
    assert not same_where(image, large, Image.new("L", (300, 200), 0))


def test_a_picture_grows_and_stays_as_it_is_inside(pipeline, files, picture):
    margins = Margins(left=32, right=32, top=16)
    image, _ = made(pipeline("sd"), request(start_picture=START, expand=margins, width=128, height=80), files)
    assert image.size == (128, 80)
    assert image.crop((32, 16, 96, 80)).tobytes() == Image.open(io.BytesIO(picture)).convert("RGB").tobytes()


REFUSED = [
    ({"mask": MASK}, "mask: got 'a mask alone'"),
    ({"expand": {"left": 8}}, "expand"),
    ({"expand": {"left": 8}, "start_picture": START}, "72 x 64"),
    ({"expand": {"left": 8}, "start_picture": START, "only_masked": True, "width": 72}, "only_masked"),
    ({"parts": [{"role": "where", "picture": START}], "strength": 0.1}, "strength"),
    ({"start_picture": START, "mask": "c" * 64}, "mask: .*uploaded before"),
]


@pytest.mark.parametrize(("fields", "said"), REFUSED)
def test_what_cannot_be_done_is_one_sentence(fields, said, pipeline, files):
    with pytest.raises(InvalidRequest, match=said):
        pipeline("sd").prepare(request(**fields), files)


def test_a_mask_that_is_no_picture(pipeline, files):
    with pytest.raises(BadUpload, match=r"^The mask cannot be read as a picture\.$"):
        pipeline("sd").prepare(request(start_picture=START, mask=MASK), files | {MASK: b"no"})


def test_a_soft_edge_rises_inwards_and_thin_strokes_stay():
    mask = square((64, 64), (0, 16, 64, 64))
    mask.paste(255, (0, 4, 64, 7))
    levels = np.asarray(masks.softened(mask, 8))
    assert (levels[np.asarray(mask) == 0] == 0).all()
    column = levels[:, 32].astype(int)
    assert list(column[16:26]) == sorted(column[16:26])
    assert 0 < column[16] < 40
    assert column[40] == column[63] == 255
    assert column[5] == 255  # the middle of the stroke of three pixels


def test_no_stroke_slips_through_the_grid_of_a_coarse_model():
    mask = square((256, 256), (100, 100, 112, 104))
    assert masks.on_latents(mask, 32).sum() == 1
    assert masks.on_latents(square((64, 64), (1, 1, 3, 3)), 8).sum() == 1


def test_strokes_on_a_transparent_layer():
    layer = Image.new("RGBA", (64, 64), (255, 255, 255, 0))
    layer.paste((255, 255, 255, 255), (16, 8, 48, 40))
    assert masks.opened(layer, (64, 64), []).tobytes() == square().tobytes()


def test_other_channels_are_not_supported(tmp_path):
    from pipelines.catalog import folders
    from pipelines.errors import ModelUnavailable

    tiny.tiny_sd(tmp_path / "odd", in_channels=7)
    with pytest.raises(ModelUnavailable, match="7 channels for latents of 4"):
        folders.read("odd", tmp_path / "odd", "folder")
