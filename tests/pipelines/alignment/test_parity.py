"""Our vectors, scores and labels are transformers' own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.pipelines.alignment.conftest import FAMILIES
from tests.support.rounding import assert_same_forward, assert_same_shares

TEXTS = ["a cat", "x", "red car", "dogs"]


def theirs(pipeline, images, texts):
    """What the model itself gives for pictures and texts that its own processor prepared, one by one."""
    towers = pipeline.alignment.towers
    words, model = towers._tokenizer, towers.model
    padding = {"padding": "max_length", "max_length": towers.window} if "siglip" in towers.family else {}
    ids = [words(text, return_tensors="pt", **padding) for text in texts]
    ids = [{name: one[name] for name in words.model_input_names} for one in ids]
    pixels = [towers._processor([image], return_tensors="pt") for image in images]
    with torch.no_grad():
        return [[model(**one, **other) for one in ids] for other in pixels]


@pytest.mark.parametrize("family", FAMILIES)
def test_vectors_are_transformers_own(opened, images, family):
    pipeline = opened(family)
    outputs = theirs(pipeline, images, TEXTS)
    seen, read = pipeline.alignment.embed_images(images), pipeline.alignment.embed_texts(TEXTS)
    assert seen.dtype == read.dtype == np.float32
    for i, row in enumerate(outputs):
        for j, output in enumerate(row):
            assert_same_forward(seen[i], output.image_embeds[0].numpy())
            assert_same_forward(read[j], output.text_embeds[0].numpy())


@pytest.mark.parametrize("family", FAMILIES)
def test_labels_are_the_models_own_probabilities(opened, images, family):
    pipeline = opened(family)
    logits = torch.tensor([[float(o.logits_per_image) for o in row] for row in theirs(pipeline, images, TEXTS)])
    expected = logits.sigmoid() if "siglip" in family else logits.softmax(-1)
    found = pipeline.alignment.label(images, TEXTS, templates=("{}",))
    assert_same_shares(found, expected)


@pytest.mark.parametrize("family", ["siglip", "siglip2"])
def test_the_score_of_a_sigmoid_model_is_its_probability(opened, images, family):
    pipeline = opened(family)
    outputs = theirs(pipeline, images, TEXTS)
    expected = [float(outputs[i][i].logits_per_image.sigmoid()) for i in range(4)]
    assert_same_shares(pipeline.alignment.score(images, TEXTS), expected)


def test_the_score_of_a_clip_is_its_softmax_over_the_line_up(opened, images):
    alignment = opened("clip").alignment
    from pipelines.alignment import scores
    from pipelines.alignment.scores import REFERENCES

    read = alignment.embed_texts(["red car"])
    kept = scores.kept(read, alignment.references)[0]
    line_up = ["red car", *(text for text, keep in zip(REFERENCES, kept, strict=True) if keep)]
    expected = alignment.label(images[:1], line_up, templates=("{}",))[0, 0]
    assert_same_shares(alignment.score(images[:1], ["red car"])[0], expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_gives_what_one_by_one_gives(opened, images, family):
    alignment = opened(family).alignment
    texts = ["a", "a much longer text, which has, by far, more than twelve tokens", *TEXTS]
    together, alone = alignment.embed_texts(texts), [alignment.embed_texts([text])[0] for text in texts]
    assert_same_forward(together, np.stack(alone))
    seen, single = alignment.embed_images(images), [alignment.embed_images([image])[0] for image in images]
    assert_same_forward(seen, np.stack(single))
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
