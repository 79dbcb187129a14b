"""From a request to a checked caption: styles, candidates, marks, refusals."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from pipelines.caption import vocabulary
from pipelines.caption.checking import recognition, wording
from pipelines.caption.models.blip import Blip
from pipelines.caption.pipeline import CaptionPipeline
from pipelines.catalog import folders
from pipelines.errors import BadUpload, InvalidRequest, ModelUnavailable
from pipelines.requests import CaptionStyle
from tests.pipelines.caption.conftest import OPTIONS


@pytest.fixture(scope="module")
def made(run):
    """The artifacts of requests that were taken to their end together."""
    return lambda pipeline, *requests: [pipeline.finish(state) for state in run(pipeline, *requests)]


def test_candidates_are_scored_marked_and_the_best_is_first(opened, ask, made, uploads):
    pipeline, request = opened("blip"), ask(0, candidates=4, verify=True, prefix="sks,", suffix="!")
    (artifact,) = made(pipeline, request)
    info, found = artifact.info, artifact.info["candidates"]
    assert (artifact.kind, artifact.media_type) == ("caption", "text/plain")
    assert artifact.data.decode() == info["caption"] == found[0]["text"]
    assert len({one["text"] for one in found}) == len(found) >= 2
    scores = [one["score"] for one in found]
    assert scores == sorted(scores, reverse=True)
    assert info["alignment"] == {"model": "clip", "score": scores[0]}
    assert (info["width"], info["height"], info["style"]) == (32, 32, "short")
    for one in found:
        assert one["text"].startswith("sks, ")
        assert one["text"].endswith("!")
        for phrase in one["phrases"]:
            a, b = phrase["span"]
            assert one["text"][a:b] == phrase["text"]
            assert a >= len("sks, ")
            assert phrase["supported"] == (phrase["score"] >= 0.8)
    assert np.linalg.norm(np.frombuffer(artifact.vector, np.float16).astype(float)) == pytest.approx(1, abs=1e-2)


def test_the_check_in_company_is_the_check_alone(opened, ask, made):
    pipeline = opened("blip")
    asked = [ask(n, candidates=2, verify=True, style=style)
             for n, style in enumerate((CaptionStyle.TAGS, CaptionStyle.SHORT, CaptionStyle.PROMPT))]  # fmt: skip
    for together, request in zip(made(pipeline, *asked), asked, strict=True):
        (alone,) = made(pipeline, request)
        assert together.info["caption"] == alone.info["caption"]
        assert together.info["alignment"]["score"] == pytest.approx(alone.info["alignment"]["score"], abs=1e-3)


@pytest.mark.parametrize("style", CaptionStyle)
def test_a_style_that_the_model_cannot_write_is_said_to_be_made(opened, ask, made, style):
    (artifact,) = made(opened("blip"), ask(1, style=style))
    told = any("alignment model recognises" in note for note in artifact.info["notes"])
    assert told == (style in recognition.INSTEAD)
    assert artifact.info["candidates"][0]["score"] is None, "it was not to be verified"
    if style == CaptionStyle.ALT:
        assert len(artifact.info["caption"]) <= 125


@pytest.mark.parametrize("family", ["florence", "smolvlm"])
def test_a_chat_model_is_told_what_to_write(opened, ask, uploads, family):
    pipeline = opened(family)
    prompts = set()
    for style in (CaptionStyle.SHORT, CaptionStyle.DETAILED, CaptionStyle.TAGS):
        state = pipeline.prepare(ask(0, style=style), uploads)
        prompts.add(pipeline._family.tokenizer.decode(state.inputs["input_ids"][0]))
    assert len(prompts) == 3


def test_a_question_reaches_the_model_and_cannot_bring_a_picture(opened, ask, uploads, made):
    pipeline = opened("smolvlm")
    plain = pipeline.prepare(ask(0, question="How many <image>cats?<end>"), uploads)
    text = pipeline._family.tokenizer.decode(plain.inputs["input_ids"][0])
    assert "How many  cats? " in text
    assert text.count("<image>") == plain.inputs["pixel_values"].shape[1] * 4
    (artifact,) = made(pipeline, ask(0, question="How many?", verify=True))
    assert artifact.info["question"] == "How many?"
    assert artifact.info["candidates"][0]["score"] is None


def test_florence_reads_what_is_written(opened, ask, uploads):
    pipeline = opened("florence")
    state = pipeline.prepare(ask(0, question="OCR"), uploads)
    assert "What is the text in the image?" in pipeline._family.tokenizer.decode(state.inputs["input_ids"][0])
    with pytest.raises(InvalidRequest, match="ocr"):
        pipeline.check(ask(0, question="How many cats?"))


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"question": "why?"}, "question"), ({"beams": 2, "temperature": 0.5}, "temperature")],
)
def test_what_a_model_cannot_do_is_refused(opened, ask, fields, field):
    with pytest.raises(InvalidRequest) as refused:
        opened("blip").check(ask(0, **fields))
    assert refused.value.field == field


def test_a_missing_or_broken_picture_is_refused(opened, ask):
    pipeline, request = opened("blip"), ask(0)
    with pytest.raises(InvalidRequest, match="uploaded before"):
        pipeline.prepare(request, {})
    with pytest.raises(BadUpload, match="cannot be read"):
        pipeline.prepare(request, {request.picture: b"GIF89a"})


def test_without_an_alignment_there_is_a_caption_without_a_score(opened, ask, run):
    def missing():
        raise ModelUnavailable("sprite-clip is not here.")

    pipeline = CaptionPipeline(opened("blip")._family, missing)
    artifact = pipeline.finish(run(pipeline, ask(0, verify=True))[0])
    assert artifact.data
    assert artifact.vector == b""
    assert "Not checked against the picture: sprite-clip is not here." in artifact.info["notes"]


def test_a_caption_that_is_cut_is_said_to_be(opened, ask, made):
    (artifact,) = made(opened("vit_gpt2"), ask(0, max_tokens=2))
    assert any("cut at 2 tokens, the most that the request allows" in note for note in artifact.info["notes"])


def test_the_work_is_told_in_steps_and_rows(opened, ask, uploads):
    pipeline = opened("blip")
    state = pipeline.prepare(ask(0, candidates=3, max_tokens=40), uploads)
    assert (state.steps_total, state.steps_left, state.rows) == (4, 4, 3)
    assert pipeline.prepare(ask(0, max_tokens=400), uploads).limit == 47
    beams = pipeline.prepare(ask(0, beams=4, candidates=2), uploads)
    assert (beams.steps_total, beams.rows) == (2, 4)
    assert pipeline.bytes_per_row(pipeline.batch_key(state)) > 0
    assert pipeline.pieces(state) == []
    assert pipeline.preview(state) is None


def test_a_picture_of_any_shape_is_described(opened, ask, made, uploads):
    file = io.BytesIO()
    Image.new("RGB", (1, 3000), "red").save(file, "PNG")
    sha = "0" * 64
    uploads[sha] = file.getvalue()
    try:
        (artifact,) = made(opened("git"), ask(0).model_copy(update={"picture": sha}))
    finally:
        del uploads[sha]
    assert "very thin" in " ".join(artifact.info["notes"])


def test_names_beside_the_weights_compete_with_what_was_written(tmp_path, opened, ask, made, uploads, monkeypatch):
    monkeypatch.setattr(recognition.segments, "things", lambda picture: [])  # of several things, see test_apart
    things = ("a grey cat", "two fish", "a hat")
    folder = tmp_path / "naming"
    shutil.copytree(opened("blip").entry.folder, folder)
    (folder / "vocabulary.txt").write_text("\n".join([*things, "", things[0]]), "utf-8")
    pipeline = CaptionPipeline(Blip(folders.read("naming", folder, "folder"), OPTIONS), opened("blip")._align)
    plain, named = (made(p, ask(0, candidates=8, verify=True))[0].info for p in (opened("blip"), pipeline))
    texts = [one["text"] for one in named["candidates"]]
    alignment, picture = pipeline._align().alignment, Image.open(io.BytesIO(uploads[ask(0).picture]))
    alone = alignment.score([picture] * 3, things)
    likeliest = wording.bare(
        things[int(alignment.labelled(alignment.embed_images([picture]), things, ("{}",)).argmax())]
    )
    every = {one["text"]: one["score"] for one in plain["candidates"]} | dict(zip(things, alone, strict=True))
    best = sorted(((wording.says(text, likeliest), score) for text, score in every.items()), reverse=True)[:8]
    assert [one["score"] for one in named["candidates"]] == pytest.approx([score for _, score in best], abs=1e-3)
    assert wording.says(texts[0], likeliest)  # what is beside the thing may score higher, and does not come first
    assert set(things) & set(texts)
    assert set(texts) <= set(every)
    (few,) = made(pipeline, ask(0, candidates=1, verify=True))
    (unchecked,) = made(pipeline, ask(0, candidates=8))
    assert few.info["caption"] in [*things, plain["candidates"][0]["text"]]
    assert not set(things) & {one["text"] for one in unchecked.info["candidates"]}
    for info in (named, few.info):
        told = any("names what the alignment model recognises" in note for note in info["notes"])
        assert told == (info["caption"] in things)
    (tags,) = made(pipeline, ask(0, style=CaptionStyle.TAGS, verify=True))
    assert "a grey cat" not in tags.info["caption"]


def test_a_thing_is_sought_by_one_name_and_said_by_another(tmp_path):
    (tmp_path / "vocabulary.txt").write_text(
        "a car\tautomobile\tcars\n\na cat\na car\tautomobile\tcars\na cat\tcat face\na dog\t\tdogs\n", "utf-8"
    )
    names = vocabulary.beside(tmp_path)
    assert names.said == ("a car", "a cat", "a cat", "a dog")
    assert names.sought == ("automobile", "a cat", "cat face", "a dog")
    assert names.several == ("cars", "", "", "dogs")
    (tmp_path / "vocabulary.txt").write_text("\n")
    assert not vocabulary.beside(tmp_path)
    assert not vocabulary.beside(tmp_path / "nothing")
