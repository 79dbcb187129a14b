"""Pictures of other programs: read, or shown for what they are; what they ask for and we cannot do is said."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from pipelines import prompt_dialects
from pipelines.requests import ImageRequest, Sampler
from studio.formats import png
from studio.formats.metadata import metadata

LINE = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x768"
RED = Image.new("RGB", (8, 8), "red")


def picture(format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    RED.save(out, format, **options)
    return out.getvalue()


def with_text(**texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    return picture(pnginfo=info)


def commented(comment: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = comment
    return exif


SWARM = {"sui_image_params": {"prompt": "a fox", "negativeprompt": "blur", "model": "x", "seed": 5, "steps": 20,
                              "cfgscale": 7.0, "width": 1024, "height": 512, "sampler": "dpmpp_2m",
                              "scheduler": "karras"}}  # fmt: skip
FOOOCUS = {"prompt": "a fox", "negative_prompt": "blur", "base_model": "x", "seed": "5", "steps": 20,
           "guidance_scale": 7, "resolution": "(1024, 512)", "sampler": "dpmpp_2m", "scheduler": "karras",
           "version": "Fooocus v2.3.1"}  # fmt: skip
INVOKE = {"positive_prompt": "a fox", "negative_prompt": "blur", "seed": 5, "steps": 20, "cfg_scale": 7.0,
          "width": 1024, "height": 512, "scheduler": "dpmpp_2m_k", "model": {"name": "x"}}  # fmt: skip
NOVEL = {"uc": "blur", "seed": 5, "steps": 20, "scale": 7.0, "width": 1024, "height": 512, "sampler": "k_dpmpp_2m",
         "noise_schedule": "karras"}  # fmt: skip
COMFY = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "x"}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["1", 1]}},
    "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blur", "clip": ["1", 1]}},
    "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 512, "batch_size": 1}},
    "5": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "y"}},
    "6": {"class_type": "KSampler", "inputs": {
        "seed": 5, "steps": 20, "cfg": 7.0, "sampler_name": "dpmpp_2m", "scheduler": "karras", "denoise": 1.0,
        "model": ["5", 0], "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0]}},
}  # fmt: skip
ALL = {"prompt": "a fox", "negative_prompt": "blur", "seed": 5, "steps": 20, "guidance_scale": 7, "width": 1024,
       "height": 512, "sampler": Sampler.DPMPP_2M_KARRAS, "model": "x"}  # fmt: skip
PROGRAMS = {
    "swarmui": (with_text(parameters=json.dumps(SWARM)), ALL),
    "fooocus": (with_text(parameters=json.dumps(FOOOCUS), fooocus_scheme="fooocus"), ALL),
    "invokeai": (with_text(invokeai_metadata=json.dumps(INVOKE)), ALL),
    "novelai": (with_text(Software="NovelAI", Description="a fox", Comment=json.dumps(NOVEL)),
                {key: value for key, value in ALL.items() if key != "model"}),
    "comfyui": (with_text(prompt=json.dumps(COMFY), workflow="{}"), ALL),
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_wrote_is_read(program: str):
    data, fields = PROGRAMS[program]
    found = metadata.read(data)
    assert (found.source, found.fields) == (program, fields)
    assert found.usable() == (fields, [])
    assert "fox" in found.raw


@pytest.mark.parametrize(
    "text", ['{"a": 1}', "[1, 2]", '{"sui_image_params": 3}', "[" * 100_000, '{"a": ' + "9" * 5000 + "}"]
)
def test_json_of_nobody_that_we_know_is_never_a_prompt(text: str):
    found = metadata.read(with_text(parameters=text))
    assert (found.source, found.fields) == ("other", {})
    assert found.raw.startswith("parameters: " + text[:20])


CIRCLE = {"1": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "seed": ["1", 0]}}}


@pytest.mark.parametrize(
    "graph", [{}, {"1": {"class_type": "KSampler"}}, {"1": {"class_type": "X", "inputs": {}}}, CIRCLE]
)
def test_a_graph_without_settings_is_shown(graph: dict):
    found = metadata.read(with_text(prompt=json.dumps(graph)))
    assert found.fields == {}
    assert found.source == ("comfyui" if graph else "other")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["prompt", "seed", "inputs", "class_type", "positive", "1", "2", "sui_image_params"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(json_values, st.sampled_from(["parameters", "prompt", "invokeai_metadata", "Comment"]))
def test_any_json_is_read_without_an_error(value: object, key: str):
    found = metadata.read(png.with_texts(picture(), {key: json.dumps(value), "Software": "NovelAI"}))
    json.dumps(found.usable()[0], allow_nan=False)


# --- where it stands ---

PLACES = {
    "GIF comment": picture("GIF", comment=f"a fox\n{LINE}".encode()),
    "JPEG comment": picture("JPEG", comment=f"a fox\n{LINE}".encode()),
    "JPEG, ASCII": picture("JPEG", exif=commented(b"ASCII\0\0\0" + f"a fox\n{LINE}".encode())),
    "PNG, EXIF": picture(exif=commented(b"UNICODE\0" + f"a fox\n{LINE}".encode("utf-16-be")).tobytes()),
    "WebP": picture("WEBP", exif=commented(b"UNICODE\0" + f"a fox\n{LINE}".encode("utf-16-le"))),
    "tEXt": with_text(parameters=f"a fox\n{LINE}"),
    "zTXt": with_text(),
    "CRLF": with_text(parameters=f"  a fox \r\n{LINE} \r\n"),
}
PLACES["zTXt"] = png.with_texts(picture(), {"parameters": f"a fox\n{LINE}"})


@pytest.mark.parametrize("place", PLACES)
def test_settings_are_found_where_programs_put_them(place: str):
    found = metadata.read(PLACES[place])
    assert (found.source, found.fields["prompt"]) == ("a1111", "a fox")
    assert (found.fields["sampler"], found.fields["height"]) == ("Euler a", 768)


@pytest.mark.parametrize("data", [picture("GIF", comment=b"made with love"), picture("JPEG", comment=b"CREATOR: gd"),
                                  picture("JPEG", exif=commented(b"ASCII\0\0\0a holiday"))])  # fmt: skip
def test_other_comments_are_no_prompts(data: bytes):
    found = metadata.read(data)
    assert (found.source, found.fields) == ("other", {})


def _chunked(text: bytes) -> bytes:
    whole = picture()
    return whole[:33] + png._chunk(b"tEXt", b"parameters\0" + text) + whole[33:]


def test_utf8_where_latin_1_is_meant_is_read_as_utf8():
    assert metadata.read(_chunked(f"狐狸 café\n{LINE}".encode())).fields["prompt"] == "狐狸 café"
    assert metadata.read(_chunked(f"café\n{LINE}".encode("latin-1"))).fields["prompt"] == "café"
    cut = ("é" * png.MAX_TEXT).encode()[: png.MAX_TEXT + 1]
    assert set(png.texts(_chunked(b"x" + cut))["parameters"][1:]) == {"é"}


def test_a_damaged_exif_chunk_does_no_harm():
    whole = picture()
    for junk in (b"", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff", bytes(300)):
        assert metadata.read(whole[:33] + png._chunk(b"eXIf", junk) + whole[33:]).source == "none"


# --- schedules ---


@pytest.mark.parametrize(
    ("written", "ours", "said"),
    [
        ("DPM++ 2M, Schedule type: Automatic", Sampler.DPMPP_2M_KARRAS, False),
        ("DPM++ 2M, Schedule type: Karras", Sampler.DPMPP_2M_KARRAS, False),
        ("DPM++ 2M Karras", Sampler.DPMPP_2M_KARRAS, False),
        ("DPM++ 2M, Schedule type: Uniform", Sampler.DPMPP_2M, False),
        ("DPM++ 2M", Sampler.DPMPP_2M, False),
        ("DPM++ 2M, Schedule type: Exponential", Sampler.DPMPP_2M, True),
        ("DPM++ SDE, Schedule type: Automatic", Sampler.DPMPP_SDE, True),
        ("Euler, Schedule type: Automatic", Sampler.EULER, False),
        ("Euler, Schedule type: Karras", Sampler.EULER, True),
    ],
)
def test_schedules_of_web_ui(written: str, ours: Sampler, said: bool):
    found = metadata.read(with_text(parameters=f"a fox\nSteps: 20, Sampler: {written}, Seed: 5, Version: v1.9.4"))
    assert found.fields["sampler"] == ours
    assert any("cannot take the schedule" in note for note in found.notes) == said


@pytest.mark.parametrize("sampler", list(Sampler))
def test_what_we_write_is_drawn_alike_elsewhere(sampler: Sampler):
    """Without a schedule web UI takes that sampler's own, which is Karras for these; noise is drawn on the CPU."""
    text = metadata.parameters_text(ImageRequest(prompt="a fox", sampler=sampler))
    assert ("Schedule type: Uniform" in text) == (sampler in (Sampler.DPMPP_2M, Sampler.DPMPP_SDE))
    assert "RNG: CPU" in text
    read = metadata.read(with_text(parameters=text))
    assert (read.fields["sampler"], read.notes) == (sampler, [])


# --- what cannot be done ---


def test_hires_is_said_thing_by_thing_and_its_strength_is_not_ours():
    text = f"a fox\n{LINE}, Denoising strength: 0.7, Hires upscale: 2, Hires upscaler: Latent, Clip skip: 2"
    found = metadata.read(with_text(parameters=text))
    assert "strength" not in found.fields
    assert found.usable()[1] == [
        "Hires upscale: 2 cannot be done here; it was left out.",
        "Hires upscaler: Latent cannot be done here; it was left out.",
        "Clip skip: 2 cannot be done here; it was left out.",
    ]


@pytest.mark.parametrize(
    ("prompt", "kept", "notes"),
    [
        ("a fox, <lora:add_detail:0.7>, <lora:x y:-1:lbw=1,0>", "a fox", 2),
        ("<lora:a:1>", "", 1),
        ("a fox\nBREAK\nsnow", "a fox\nsnow", 1),
        ("a fox BREAK snow", "a fox, snow", 1),
        ("a fox :1.2 AND a cat", "a fox, a cat", 1),
        ("[a fox:a cat:0.5] in snow", "a cat in snow", 1),
        ("[a fox::0.5] in snow", "a fox in snow", 1),
        ("[snow:0.5], a fox", "snow, a fox", 1),
        ("[a fox|a cat] in snow", "a fox in snow", 1),
        ("a fox, (snow:-1), ice", "a fox, ice", 1),
        ("a (fox:1.2), [soft], \\(x\\)", "a (fox:1.2), [soft], \\(x\\)", 0),
        ("STOP AND GO", "STOP AND GO", 0),
        ("a fox at 10:30, ratio 1:2", "a fox at 10:30, ratio 1:2", 0),
        ("a  fox ,, snow", "a  fox ,, snow", 0),
    ],
)
def test_what_a_prompt_asks_for_and_we_cannot_do_is_taken_out_and_said(prompt: str, kept: str, notes: int):
    found, said = prompt_dialects.plain(prompt)
    assert (found, len(said)) == (kept, notes)
    assert all(note.endswith(".") for note in said)
    assert len(metadata.read(with_text(parameters=f"{prompt}\nNegative prompt: {prompt}\n{LINE}")).notes) == 2 * notes


@given(st.text(st.sampled_from("ab<lor>:[]()|,.-1 \nBREAKND"), max_size=200))
def test_any_prompt_has_a_plain_one(prompt: str):
    plain, notes = prompt_dialects.plain(prompt)
    assert len(plain) <= len(prompt)
    assert notes or plain == prompt


@pytest.mark.parametrize("part", ["[", "(", "[a:", "<lora:", " ", "[a|", ":1", "(a:-"])
def test_long_prompts_of_brackets_come_to_an_end(part: str):
    prompt = (part * 10_000)[:9_980] + " <lora:a>"
    assert len(prompt_dialects.plain(prompt)[1]) == 1
