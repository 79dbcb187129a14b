"""Settings inside pictures: what is written comes back, and other programs' files are understood."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from pipelines.errors import BadUpload
from pipelines.requests import ImageRequest
from studio.formats import png
from studio.formats.metadata import a1111, metadata
from studio.formats.metadata.a1111 import Parameters
from tests.studio.support import foreign_metadata


def picture(format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, format, **options)
    return out.getvalue()


def with_text(**texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    return picture(pnginfo=info)


# --- the text format ---

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
prompts = words.filter(lambda text: not any(line.startswith(a1111.NEGATIVE) for line in text.split("\n")))
names = st.from_regex(r"[A-Za-z]\w[\w \-/]{0,10}\w", fullmatch=True)
settings = st.dictionaries(names, words, max_size=6).map(
    lambda more: {"Steps": "20", "Sampler": "x", "Seed": "1", **more}
)


@given(prompts, words, settings)
def test_text_round_trip(prompt, negative, values):
    """Commas, colons, newlines, quotes, any script, and names that we do not know."""
    if any(a1111._STEPS.match(line) for line in negative.split("\n")):
        negative = ""
    written = Parameters(prompt, negative, values)
    read = a1111.parse(a1111.compose(written))
    assert read == Parameters(stripped(prompt), stripped(negative), values)


def stripped(text: str) -> str:
    """Line by line, as that program reads it."""
    return "\n".join(line.strip() for line in text.split("\n")).strip()


@given(words)
def test_any_text_can_be_parsed(text):
    found = a1111.parse(text)
    assert found.settings or found.negative_prompt or found.prompt == stripped(text) or a1111.NEGATIVE in text


@pytest.mark.parametrize("sample", foreign_metadata.A1111, ids=lambda sample: sample.name)
def test_files_of_the_field(sample):
    found = metadata.read(with_text(parameters=sample.text))
    assert found.source == "a1111"
    for name, value in sample.fields.items():
        assert found.fields[name] == value, name
    for name, value in sample.other.items():
        assert found.other[name] == value, name


# --- chunks ---


@given(words, words)
def test_chunks_round_trip_without_touching_the_picture(text, other):
    data = png.with_texts(png.with_texts(picture(), {"a": text}), {"a": other, "b": text})
    assert png.texts(data) == {"a": other, "b": text}
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.text == {"a": other, "b": text}
    assert image.tobytes() == Image.open(io.BytesIO(picture())).tobytes()


@pytest.mark.parametrize("zip", [False, True])
@pytest.mark.parametrize("text", ["plain", "狐狸 🦊"])
def test_chunks_that_pillow_wrote(zip, text):
    info = PngImagePlugin.PngInfo()
    info.add_text("a", text, zip=zip)
    info.add_itxt("b", text, zip=zip)
    assert png.texts(picture(pnginfo=info)) == {"a": text, "b": text}


def test_a_packed_text_cannot_blow_up():
    info = PngImagePlugin.PngInfo()
    info.add_text("a", "x" * (3 * png.MAX_TEXT), zip=True)
    assert len(png.texts(picture(pnginfo=info))["a"]) == png.MAX_TEXT


@pytest.mark.parametrize("packed", [True, False])
def test_many_packed_texts_are_no_more_than_a_few(packed):
    """Ten megabytes in ten kilobytes, a thousand times: what is read in all has a cap, too."""
    info = PngImagePlugin.PngInfo()
    for i in range(8):
        info.add_itxt(f"i{i}", "x" * png.MAX_TEXT, zip=packed)
        info.add_text(f"t{i}", "x" * png.MAX_TEXT, zip=packed)
    found = png.texts(picture(pnginfo=info))
    assert sum(map(len, found.values())) == png.MAX_ALL
    assert len(metadata.read(picture(pnginfo=info)).raw) <= metadata.MAX_RAW


def test_of_very_many_texts_the_first_are_read():
    info = PngImagePlugin.PngInfo()
    for i in range(png.MAX_TEXTS + 50):
        info.add_text(f"t{i}", "x")
    assert list(png.texts(picture(pnginfo=info))) == [f"t{i}" for i in range(png.MAX_TEXTS)]


@given(st.binary(max_size=200), st.integers(0, 10_000))
def test_damaged_chunks_are_left_out(junk, at):
    whole = png.with_texts(picture(), {"parameters": "a fox"})
    at %= len(whole)
    png.texts(whole[:at] + junk)
    png.texts(whole[:at] + junk + whole[at:])


# --- ours ---

requests = st.builds(
    ImageRequest,
    prompt=words,
    negative_prompt=words,
    guidance_scale=st.floats(0, 30),
    seed=st.integers(0, 2**32 - 1),
    start_picture=st.sampled_from([None, "a" * 64]),
    strength=st.floats(0.01, 1),
)


@given(requests)
def test_our_own_pictures_come_back_exactly(request):
    found = metadata.read(metadata.write(picture(), request, {"notes": ["x"]}))
    assert found.source == "triptych"
    left_out = {"kind", "count", "priority", "filmstrip", "group", "early_stop"}  # of the asking
    expected = request.model_dump(mode="json", exclude=left_out, exclude_none=True)
    assert found.fields == expected
    assert found.usable() == (expected, [])


def test_the_common_text_is_there_for_other_programs():
    request = ImageRequest(prompt="a fox", negative_prompt="blur", seed=3, guidance_scale=7.0)
    texts = png.texts(metadata.write(picture(), request))
    assert texts["parameters"] == (
        "a fox\nNegative prompt: blur\n"
        "Steps: 20, Sampler: DPM++ 2M, Schedule type: Uniform, CFG scale: 7, Seed: 3, Size: 256x256, Model: sprite, "
        "RNG: CPU, Version: Triptych"
    )
    assert json.loads(texts["triptych"])["request"]["prompt"] == "a fox"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"request": 3}', '{"request": {"kind": "image", "steps": 0}}'])
def test_a_damaged_chunk_of_ours_falls_back_to_the_common_text(text):
    found = metadata.read(with_text(triptych=text, parameters="a fox\nSteps: 5, Sampler: DDIM, Seed: 1"))
    assert (found.source, found.fields["steps"]) == ("a1111", 5)


# --- others ---


def test_unusable_settings_are_named():
    found = metadata.read(with_text(parameters="a fox\nSteps: 500, Sampler: PLMS, CFG scale: 7, Seed: 1, Size: 513x64"))
    good, notes = found.usable()
    assert good == {"prompt": "a fox", "negative_prompt": "", "guidance_scale": 7.0, "seed": 1, "height": 64}
    assert sorted(note.partition(":")[0] for note in notes) == ["sampler", "steps", "width"]


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("prompt", ["a fox, sitting", "一只狐狸，坐着"])
def test_user_comment_of_jpeg_and_webp(format, encoding, prompt):
    text = f"{prompt}\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + text.encode(encoding)
    found = metadata.read(picture(format, exif=exif))
    assert (found.source, found.fields["prompt"], found.fields["sampler"]) == ("a1111", prompt, "Euler a")


def test_comfyui_is_shown():
    graph = '{"3": {"class_type": "KSampler", "inputs": {"seed": 5, "steps": 20}}}'
    found = metadata.read(with_text(prompt=graph, workflow="{}"))
    assert (found.source, found.fields) == ("comfyui", {"seed": 5, "steps": 20})
    assert '"KSampler"' in found.raw
    exif = Image.Exif()
    exif[0x0110] = f"prompt:{graph}"
    assert metadata.read(picture("WEBP", exif=exif)).source == "comfyui"


def test_pictures_without_settings():
    assert metadata.read(picture()).source == "none"
    assert metadata.read(picture("JPEG")).source == "none"
    found = metadata.read(with_text(Title="hello"))
    assert (found.source, found.raw) == ("other", "Title: hello")


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7"])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(BadUpload):
        metadata.read(data)
