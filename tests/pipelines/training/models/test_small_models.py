"""Vision tower and captioner: what they learn from, that they learn, and that the captioner begins with CLIP's eyes."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from transformers import CLIPConfig, CLIPModel

from pipelines.training.data import batches, pairs
from pipelines.training.evaluation import model_metrics
from pipelines.training.loop import Budget, Run
from pipelines.training.models import captioner
from pipelines.training.models.alignment import clip, conv_init, conv_teacher, vision
from pipelines.training.optimizer import Muon
from pipelines.training.release import checkpoints
from tests.pipelines.training import tiny
from tests.support.rounding import assert_same_forward

TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture
def whole() -> CLIPModel:
    torch.manual_seed(0)
    text = {**TOWER, "vocab_size": 64, "max_position_embeddings": 32, "bos_token_id": 62, "eos_token_id": 63}
    vision = {**TOWER, "hidden_size": 224, "num_attention_heads": 8, "image_size": 64, "patch_size": 8}
    shape = CLIPConfig(text_config=text, vision_config=vision, projection_dim=32)
    shape._attn_implementation = "eager"
    return CLIPModel(shape)


@pytest.fixture(scope="module")
def mixture(corpus) -> batches.Mixture:
    small = dataclasses.replace(corpus, sprites=np.stack([batches.shrink(s) for s in corpus.sprites]))
    return batches.Mixture(small)


class Letters:
    """Stands for the tokenizer: a text's letters as numbers below 62, closed and padded with 63."""

    def __call__(self, texts, **_):
        rows = [[ord(c) % 62 for c in text[:20]] + [63] * (24 - len(text[:20])) for text in texts]
        return {"input_ids": torch.tensor(rows)}


@pytest.fixture
def teacher(mixture) -> conv_teacher.Seeing:
    torch.manual_seed(3)
    return (
        conv_teacher.Seeing(len(mixture.corpus.things), 32, conv_teacher.Eyes((8, 12, 16), (1, 1, 1)))
        .eval()
        .requires_grad_(False)
    )


def test_the_tower_in_training_sees_what_clip_sees_and_a_teachers_cells(whole, teacher):
    student, pixels = vision.Alignment(whole, 12, 16), torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        plain = F.normalize(whole.visual_projection(whole.vision_model(pixel_values=pixels).pooler_output), dim=-1)
        seen, (wanted, _) = student(pixels), vision.shown(teacher, pixels)
    assert_same_forward(seen.vector, plain)
    assert (seen.near.shape, seen.far.shape) == (wanted.near.shape, wanted.far.shape) == ((2, 12, 8, 8), (2, 16, 4, 4))


def test_cells_lie_as_patches_do():
    assert vision.cells(torch.arange(64.0).view(1, 64, 1))[0, 0, 2, 5] == 21


def test_captions_of_the_same_thing_are_no_rivals():
    logits = torch.eye(4) * 30
    logits[0, 1] = logits[1, 0] = 30
    logits.requires_grad_(True)
    for things, pulls in (([5, 5, -1, -1], False), ([5, 6, -1, -1], True), ([-1, -1, -1, -1], True)):
        (pull,) = torch.autograd.grad(pairs.between(logits, torch.tensor(things)), logits)
        assert bool(pull[0, 1].abs() > 0.05) == pulls


def test_the_tower_learns_from_its_teacher_and_the_text_tower_stays(whole, mixture, teacher):
    whole.requires_grad_(False)
    pictures, student = vision.Pictures(mixture), vision.Alignment(whole, 12, 16).requires_grad_(True)
    lesson = pictures.batch(np.random.default_rng(0), 24)
    assert lesson.pixels.shape == (24, 3, 64, 64)
    conv_init.begin(whole.vision_model, lesson.pixels)
    conv_init.lock(student.vision_model)
    names = pairs.vectors(whole, Letters()([t.en for t in mixture.corpus.things])["input_ids"])
    before = {k: v.clone() for k, v in whole.text_model.state_dict().items()}
    taught = {k: v.clone() for k, v in teacher.state_dict().items()}
    optimizer = Muon(vision.groups(student))
    loss = vision.align_loss(student, teacher, names)
    losses, seen = tiny.learnt(loss, lesson, optimizer, 25)
    assert seen == 24
    assert losses[-1] < 0.85 * losses[0]
    assert all(torch.equal(whole.text_model.state_dict()[k], v) for k, v in before.items())
    assert all(torch.equal(teacher.state_dict()[k], v) for k, v in taught.items())


def test_filters_begin_evenly_strong(mixture):
    patches = F.unfold(captioner.to_pixels(mixture.draw(np.random.default_rng(2), 64).pictures), 8, stride=8)
    patches = patches.transpose(1, 2).flatten(0, 1)
    seen = patches @ conv_init.filters(patches, 200).T
    assert float(seen[:, :192].std(0).median()) > 0.02
    assert torch.equal(conv_init.filters(patches, 390)[384:], torch.zeros(6, 192))


@pytest.fixture(scope="module")
def words(mixture):
    return captioner.tokenizer(captioner.vocabulary(captioner.all_words(mixture.corpus.things, mixture, 50)))


def test_every_name_is_known_word_by_word(words, mixture):
    for thing in mixture.corpus.things:
        assert "[UNK]" not in words.tokenize(thing.en)
        assert not [t for t in words.tokenize(thing.en) if t.startswith("##")]


def test_the_captioner_sees_about_what_clip_sees(words, mixture):
    torch.manual_seed(0)
    shape = clip.config(64, 63)
    shape._attn_implementation = "eager"
    source = CLIPModel(shape).eval()
    pixels = captioner.to_pixels(mixture.draw(np.random.default_rng(2), 16).pictures)
    conv_init.begin(source.vision_model, pixels)
    model = captioner.begin(words, source, pixels).eval()
    with torch.inference_mode():
        states = source.vision_model(pixel_values=pixels, output_hidden_states=True).hidden_states
        theirs = source.vision_model.post_layernorm(states[captioner.EYES])
        mine = model.vision_model(pixel_values=pixels).last_hidden_state
        random = captioner.fresh(len(words)).eval().vision_model(pixel_values=pixels).last_hidden_state
    near = F.cosine_similarity(mine, theirs, dim=-1).mean()
    assert near > 0.9
    assert near > F.cosine_similarity(random, theirs, dim=-1).mean() + 0.3


@pytest.mark.parametrize("locked", [True, False])
def test_the_captioner_learns_with_its_eyes_or_without(words, mixture, locked):
    lessons = captioner.Lessons(mixture.corpus, words)
    pixels, ids = lessons.batch(np.random.default_rng(1), 8)
    assert ids.shape[0] == 8 * captioner.WORDINGS
    assert int(ids[:, 0].unique()) == words.cls_token_id
    model = captioner.fresh(len(words)).train()
    optimizer, losses = Muon(captioner.groups(model)), []
    eyes = model.vision_model.embeddings.patch_embedding.weight.clone()
    for _ in range(12):
        value, _ = captioner.caption_loss(model, lambda: locked)((pixels, ids), torch.Generator().manual_seed(0))
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(value.item())
    assert losses[-1] < 0.7 * losses[0]
    assert torch.equal(eyes, model.vision_model.embeddings.patch_embedding.weight) == locked


@pytest.fixture
def two_steps(corpus, mixture, monkeypatch):
    """A cycle is two steps of four pictures of the drawn shapes."""
    for module in (vision, captioner):
        monkeypatch.setattr(module, "BATCH", 4)
        monkeypatch.setattr(module.Corpus, "open", lambda folder: corpus)
    monkeypatch.setattr(batches, "small_corpus", lambda folder, whole: mixture.corpus)
    monkeypatch.setattr(Run, "cycle", lambda run, minutes: Budget(steps=run.step + 2))


def test_a_tower_is_trained_and_goes_on(whole, teacher, two_steps, tmp_path):
    first = vision.align(tmp_path, whole, Letters(), teacher, 1.0, anew=True)
    again = vision.align(tmp_path, whole, Letters(), teacher, 1.0)
    assert (first.seen, again.seen) == (8, 16)
    assert (tmp_path / "vision" / "state.safetensors").exists()


def test_a_captioner_is_trained_saved_and_opened_again(two_steps, tmp_path):
    shape = clip.config(64, 63)
    shape._attn_implementation = "eager"
    captioner.train(tmp_path, 1.0, CLIPModel(shape))
    found = checkpoints.load_captioner(tmp_path, tmp_path / "nothing")
    again = captioner.train(tmp_path, 1.0, CLIPModel(shape), found)
    assert again.seen == 16
    texts, milliseconds = model_metrics.describe(
        *checkpoints.load_captioner(tmp_path), np.zeros((3, 64, 64, 3), np.uint8)
    )
    assert len(texts) == 3
    assert milliseconds > 0
