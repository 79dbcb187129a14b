"""Pictures in a prompt: as diffusers' IP-Adapter pipelines see them, in any mix of jobs with pictures and without."""

from __future__ import annotations

import io
from functools import cache

import diffusers
import pytest
import torch
from PIL import Image
from transformers import CLIPImageProcessorPil, CLIPVisionModelWithProjection

from pipelines.catalog.catalog import Catalog
from pipelines.errors import BadUpload, InvalidRequest
from pipelines.image.model import fast_unet
from pipelines.requests import Sampler
from pipelines.runtime.model_pool import ModelPool
from tests.pipelines.support.image_requests import difference, forwards, request, run
from tests.support import tiny
from tests.support.rounding import assert_same_forward, assert_same_latents

RED, BLUE = "d" * 64, "e" * 64
KINDS = {"sd": diffusers.StableDiffusionPipeline, "sdxl": diffusers.StableDiffusionXLPipeline}
STYLE = {"up": {"block_0": [0.0, 1.0, 0.0]}}
LAYOUT = {"down": {"block_2": [0.0, 1.0]}}
BUT_STYLE = {"down": 0.8, "mid": 0.8, "up": {"block_0": [0.8, 0.0, 0.8], "block_1": 0.8}}


def png(colour: str, size=(50, 40)) -> bytes:
    file, image = io.BytesIO(), Image.new("RGB", size, colour)
    image.paste("white", (10, 5, 30, 20))
    image.save(file, "PNG")
    return file.getvalue()


FILES = {RED: png("red"), BLUE: png("blue", (64, 64))}
PICTURES = {sha: Image.open(io.BytesIO(data)) for sha, data in FILES.items()}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Models with adapters: sd, plus (another kind of adapter) and sdxl, with the blocks that SDXL has."""
    parent = tmp_path_factory.mktemp("seeing")
    tiny.tiny_adapter(tiny.tiny_sd(parent / "sd"))
    tiny.tiny_adapter(tiny.tiny_sd(parent / "plus"), plus=True)
    tiny.tiny_adapter(tiny.tiny_sdxl(parent / "sdxl", **tiny.THREE_LEVELS))
    return parent


@pytest.fixture(scope="module")
def shelf(places):
    shelf = ModelPool(Catalog([places]), "cpu")
    torch.set_num_threads(1)
    return shelf


@pytest.fixture
def ours(shelf):
    return lambda model: shelf.pipeline(request(model=model))


@pytest.fixture(scope="module")
def theirs(places):
    """Final latents by diffusers' own pipeline with `adapters` copies of the adapter loaded, at `scale`."""

    @cache
    def opened(model: str, copies: int):
        pipe = KINDS["sdxl" if model == "sdxl" else "sd"].from_pretrained(
            places / model, local_files_only=True, safety_checker=None
        )
        encoder = CLIPVisionModelWithProjection.from_pretrained(places / model / "ip-adapter/image_encoder")
        processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
        pipe.register_modules(image_encoder=encoder, feature_extractor=processor)
        names = [next((places / model / "ip-adapter").glob("*.safetensors")).name] * copies
        pipe.load_ip_adapter(str(places / model), subfolder="ip-adapter", weight_name=names, low_cpu_mem_usage=False)
        pipe.scheduler = diffusers.DDIMScheduler.from_config(pipe.scheduler.config)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def latents(asked, *shown: list, scale: object, **more: object) -> torch.Tensor:
        pipe = opened(asked.model, len(shown) or 1)
        pipe.set_ip_adapter_scale(scale)
        if shown:
            more["ip_adapter_image"] = list(shown)
        more |= {"num_inference_steps": asked.steps, "guidance_scale": asked.guidance_scale, "width": 64, "height": 64}
        draws = torch.Generator().manual_seed(asked.seed)
        return pipe(asked.prompt, generator=draws, output_type="latent", **more).images

    return latents


def shows(*parts: tuple, **fields: object):
    """A request with picture parts of (role, sha, weight)."""
    seen = [{"role": role, "picture": sha, "weight": weight} for role, sha, weight in parts]
    return request(parts=seen, sampler=Sampler.DDIM, **fields)


@pytest.mark.parametrize("model", ["sd", "plus", "sdxl"])
def test_jobs_with_pictures_in_a_mix_equal_diffusers(model, ours, theirs):
    """Neighbours of other scales, with more pictures, without guidance, without pictures."""
    red, blue = PICTURES[RED], PICTURES[BLUE]
    asked = {
        shows(("what", RED, 1.0), model=model, seed=1): ([red], 1.0),
        shows(("what", RED, 0.4), model=model, seed=2, steps=5): ([red], 0.4),
        shows(("what", BLUE, 1.5), model=model, seed=3, guidance_scale=1.0): ([blue], 1.5),
        shows(("what", RED, 0.7), ("what", BLUE, 0.7), model=model, seed=4): ([[red, blue]], 0.7),
        shows(("what", RED, 1.0), model=model, seed=6, gate=0.3): ([red], 0.6),
        request(model=model, seed=5, sampler=Sampler.DDIM): ([], 0.0),
        request(model=model, seed=7, sampler=Sampler.DDIM, guidance_scale=1.0): ([], 0.0),
    }
    for state in run(ours(model), *asked, pictures=FILES):
        shown, scale = asked[state.request]
        expected = theirs(state.request, *(shown or [red]), scale=scale)
        assert_same_latents(state.latents, expected, state.request.parts)


def test_style_and_layout_have_blocks_of_their_own(ours, theirs):
    fields = {"model": "sdxl", "steps": 3}
    red, blue = PICTURES[RED], PICTURES[BLUE]
    style = shows(("how", BLUE, 1.0), **fields)
    layout = shows(("where", RED, 1.0), seed=3, **fields).model_copy(update={"start_picture": RED, "strength": 1.0})
    restyled = shows(("what", RED, 0.8), ("how", BLUE, 1.0), seed=2, **fields)
    first, third, second = run(ours("sdxl"), style, layout, restyled, pictures=FILES)
    assert_same_latents(first.latents, theirs(style, blue, scale=STYLE))
    assert_same_latents(second.latents, theirs(restyled, red, blue, scale=[BUT_STYLE, STYLE]))
    (view,) = third.conditioning.shown
    assert view.blocks == {f"down_blocks.2.attentions.1.transformer_blocks.{i}.attn2" for i in range(1)}


def test_a_picture_that_says_not(ours, theirs):
    """diffusers takes other negative embeddings than noughts where they are given."""
    asked = shows(("what", RED, 1.0), ("not", BLUE, 1.0), model="sd", steps=3)
    adapter_of = ours("sd")
    (state,) = run(adapter_of, asked, pictures=FILES)
    adapter = adapter_of._looking
    embeds = torch.stack([adapter.look(BLUE, PICTURES[BLUE]), adapter.look(RED, PICTURES[RED])])
    expected = theirs(asked, scale=1.0, ip_adapter_image_embeds=[embeds])
    assert_same_latents(state.latents, expected)
    (alone,) = run(adapter_of, shows(("not", BLUE, 1.0), model="sd", steps=3), pictures=FILES)
    assert difference(alone.latents, state.latents) > 1e-3


def test_without_guidance_a_picture_that_says_not_is_not_heard_and_said(ours):
    asked = shows(("not", BLUE, 1.0), model="sd", guidance_scale=1.0)
    state = ours("sd").prepare(asked, FILES)
    assert state.notes == ["Pictures that say what not to show need guidance (a scale of more than 1)."]


@pytest.mark.parametrize("model", ["sd", "sdxl"])
def test_one_forward_of_a_mix_equals_one_alone(model, ours):
    """With and without the lean blocks; rows without pictures are what they are alone."""
    pipe = ours(model)
    asked = [request(model=model, seed=1), shows(("what", RED, 1.0), model=model, seed=2),
             request(model=model, seed=3, guidance_scale=1.0),
             shows(("what", RED, 0.5), ("what", BLUE, 1.0), model=model, seed=4)]  # fmt: skip
    alone = [forwards(pipe, [pipe.prepare(each, FILES)])[0] for each in asked]
    together = [pipe.prepare(each, FILES) for each in asked]
    mixed = forwards(pipe, together)
    fast_unet.undo(pipe.parts.unet)
    whole = forwards(pipe, [pipe.prepare(each, FILES) for each in asked])
    assert fast_unet.lean(pipe.parts.unet)
    for one, other, third in zip(mixed, alone, whole, strict=True):
        assert_same_forward(one, other)
        assert_same_forward(third, other)
    assert len({pipe.batch_key(state) for state in together}) == 1


def test_weights_of_pictures_go_from_one_to_the_other(ours):
    pipe = ours("sd")
    both = [
        shows(("what", RED, a), ("what", BLUE, b), model="sd", steps=3) for a, b in ((1, 0), (1, 1e-4), (1, 1), (0, 1))
    ]
    ends = [shows(("what", sha, 1.0), model="sd", steps=3) for sha in (RED, BLUE)]
    first, nearly, middle, last, red, blue = (state.latents for state in run(pipe, *both, *ends, pictures=FILES))
    assert_same_latents(first, red)
    assert_same_latents(last, blue)
    assert difference(nearly, red) < difference(middle, red)


def test_a_blend_of_pictures_has_their_ends(ours):
    fields = {"model": "sd", "steps": 3}
    frames = [shows(("what", RED, 1.0), **fields, blend={"picture": BLUE, "at": at}) for at in (0, 0.5, 1)]
    ends = [shows(("what", sha, 1.0), **fields) for sha in (RED, BLUE)]
    first, middle, last, red, blue = (state.latents for state in run(ours("sd"), *frames, *ends, pictures=FILES))
    assert_same_latents(first, red)
    assert_same_latents(last, blue)
    assert min(difference(middle, red), difference(middle, blue)) > 1e-3


def test_the_gate_goes_from_the_texts_alone_to_the_pictures_alone(ours):
    pipe, fields = ours("sd"), {"model": "sd", "steps": 3}
    asked = [shows(("what", RED, 1.0), gate=gate, **fields) for gate in (0.0, 1.0)]
    plain, dumb = request(sampler=Sampler.DDIM, **fields), shows(("what", RED, 1.0), prompt="", **fields)
    texts, pictures, only_text, only_picture = (s.latents for s in run(pipe, *asked, plain, dumb, pictures=FILES))
    assert_same_latents(texts, only_text)
    assert_same_latents(pictures, only_picture)


def test_a_gate_is_turned_on_the_way(ours):
    pipe = ours("sd")
    turned, other = (pipe.prepare(shows(("what", RED, 1.0), model="sd", steps=3), FILES) for _ in range(2))
    pipe.step([turned, other])
    pipe.turn(turned, 0.8)
    pipe.step([turned, other])
    assert turned.gate == 0.8
    assert difference(turned.latents, other.latents) > 1e-4


def test_an_automatic_gate_says_where_it_is_until_the_end(ours):
    pipe = ours("sd")
    asked = shows(("what", RED, 1.0), model="sd", steps=2, gate=0.4, auto_gate=True)
    state = pipe.prepare(asked, FILES)
    assert state.doing == ""
    pipe.turn(state, 0.62)
    assert state.doing == "auto: text 76 %, pictures 100 %"
    for _ in range(2):
        pipe.step([state])
    assert state.doing == ""


def test_models_with_no_map_of_style_see_the_whole_and_say_so(ours):
    pipe = ours("sd")
    how, what = (pipe.prepare(shows((role, RED, 1.0), model="sd"), FILES) for role in ("how", "what"))
    assert torch.equal(how.conditioning.shown[0].tokens, what.conditioning.shown[0].tokens)
    assert "no map of style" in how.notes[0]


def test_a_model_that_has_seen_no_picture_holds_no_adapter(places):
    shelf = ModelPool(Catalog([places]), "cpu")
    pipe = shelf.pipeline(request(model="sd"))
    before = pipe.nbytes
    pipe.step([pipe.prepare(request(model="sd"), {})])
    assert pipe._looking is None
    pipe.prepare(shows(("what", RED, 1.0), model="sd"), FILES)
    assert pipe.nbytes > before


def test_what_is_opened_later_counts_towards_the_memory(places, monkeypatch):
    """Room for both models, but not for what one of them looks at pictures with."""
    catalog, budget = Catalog([places]), 2**26
    both = sum(catalog.find(id).weight_bytes(4) for id in ("sd", "plus"))
    monkeypatch.setattr("pipelines.runtime.model_pool.WEIGHT_SHARE", (both + 4096) / budget)
    shelf = ModelPool(catalog, "cpu", budget)
    asked = shows(("what", RED, 1.0), model="plus")
    shelf.pipeline(request(model="sd"))
    shelf.pipeline(request(model="plus"))
    assert shelf.loaded() == ["sd", "plus"]
    pipe = shelf.pipeline(asked)
    assert shelf.loaded() == ["plus"]
    pipe.prepare(asked, FILES)
    assert pipe.lacks(asked) == 0
    shelf.pipeline(request(model="sd"))  # what was opened is weighed, too
    assert shelf.loaded() == ["sd"]


def test_a_job_goes_on_when_its_model_was_put_away_meanwhile(places):
    asked = shows(("what", RED, 1.0), model="sd", steps=3)
    shelf = ModelPool(Catalog([places]), "cpu")
    (whole,) = run(shelf.pipeline(asked), asked, pictures=FILES)
    state = shelf.pipeline(asked).prepare(asked, FILES)
    shelf.pipeline(asked).step([state])
    shelf.evict("sd")
    while state.steps_left:
        shelf.pipeline(asked).step([state])
    assert_same_latents(state.latents, whole.latents)


def test_a_picture_that_is_gone_or_none(ours):
    asked = shows(("what", RED, 1.0), model="sd")
    with pytest.raises(InvalidRequest, match=r"^parts: .*uploaded before\.$"):
        ours("sd").prepare(asked, {})
    with pytest.raises(BadUpload, match="cannot be read as a picture"):
        ours("sd").prepare(
            asked.model_copy(update={"parts": shows(("what", BLUE, 1), model="sd").parts}), {BLUE: b"no"}
        )
