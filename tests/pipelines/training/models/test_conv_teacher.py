"""Convolutional eyes learn names, are opened again, and see in the place of CLIP's tower."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from transformers import CLIPConfig, CLIPModel

from pipelines.training.data import batches, pairs
from pipelines.training.loop import Budget, Run
from pipelines.training.models.alignment import conv_teacher
from pipelines.training.optimizer import Muon, split
from pipelines.training.release import checkpoints
from tests.pipelines.training import tiny
from tests.support.rounding import assert_same_forward

SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}


@pytest.fixture
def whole() -> CLIPModel:
    torch.manual_seed(0)
    text = {**SMALL, "vocab_size": 64, "max_position_embeddings": 32, "bos_token_id": 62, "eos_token_id": 63}
    vision = {**SMALL, "image_size": 64, "patch_size": 32}
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=32)).requires_grad_(False)


@pytest.fixture(scope="module")
def mixture(corpus) -> batches.Mixture:
    return batches.Mixture(dataclasses.replace(corpus, sprites=np.stack([batches.shrink(s) for s in corpus.sprites])))


def letters(texts, **_):
    """Stands for the tokenizer: a text's letters as numbers below 62, closed and padded with 63."""
    return {"input_ids": torch.tensor([[ord(c) % 62 for c in t[:20]] + [63] * (24 - len(t[:20])) for t in texts])}


def test_the_maps_are_eight_and_four_cells_wide_and_pooled_into_one_vector():
    model, pixels = conv_teacher.Eyes((8, 12, 16), (1, 2, 1)).eval(), torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        near, far = model.maps(pixels)
        pooled = model(pixel_values=pixels).pooler_output
        straight = model.body(pixels).mean((2, 3))
    assert (near.shape, far.shape) == ((2, 12, 8, 8), (2, 16, 4, 4))
    assert_same_forward(pooled, straight)


def test_they_learn_the_names_of_things(whole, mixture):
    student = conv_teacher.Seeing(len(mixture.corpus.things), 32, conv_teacher.Eyes((8, 12, 16), (1, 1, 1)))
    lesson = pairs.Pairs(mixture, letters).batch(np.random.default_rng(0), 24)
    names = pairs.vectors(whole, letters([t.en for t in mixture.corpus.things])["input_ids"])
    optimizer, loss = Muon(split(student, 3e-3, 3e-3)), conv_teacher.loss_of(whole, student, names)
    losses, seen = tiny.learnt(loss, lesson, optimizer, 25)
    assert seen == 24
    assert losses[-1] < 0.7 * losses[0]


def test_a_judge_is_trained_opened_again_and_sees_in_clips_place(whole, mixture, corpus, monkeypatch, tmp_path):
    monkeypatch.setattr(conv_teacher, "BATCH", 4)
    monkeypatch.setattr(conv_teacher.Corpus, "open", lambda folder: corpus)
    monkeypatch.setattr(batches, "small_corpus", lambda folder, whole: mixture.corpus)
    monkeypatch.setattr(Run, "cycle", lambda run, minutes: Budget(steps=run.step + 2))
    assert checkpoints.load_eyes(tmp_path, "judge") is None
    run = conv_teacher.train(tmp_path, whole, letters, 1.0, name="judge", seed=2)
    assert conv_teacher.train(tmp_path, whole, letters, 1.0, name="judge", seed=2).seen == 2 * run.seen == 16
    judge = checkpoints.load_eyes(tmp_path, "judge")
    pixels, before = torch.randn(2, 3, 64, 64), whole.text_projection.weight.clone()
    lent = judge.lend(whole)
    with torch.inference_mode():
        seen = F.normalize(lent.visual_projection(lent.vision_model(pixel_values=pixels).pooler_output), dim=-1)
        own = F.normalize(judge.scaled(judge.vision_model(pixels).pooler_output), dim=-1)
    assert_same_forward(seen, own)
    assert torch.equal(whole.text_projection.weight, before)
