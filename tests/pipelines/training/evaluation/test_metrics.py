"""The measures measure: parts are counted, halves are halves, words unseen are unseen, dark orange is no orange."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.training.corpus import captions, colours, names, scene_sampler, scenes  # fmt: skip
from pipelines.training.evaluation import evaluate, model_metrics, picture_metrics, prompts
from pipelines.training.evaluation.model_metrics import names_in, portraits, spelling
from pipelines.training.release import checkpoints


@pytest.mark.parametrize("number", [1, 2, 3])
def test_discs_are_counted(corpus, number):
    spots = [(60, 60), (190, 60), (128, 190)][:number]
    placed = tuple(scenes.Placed(0, x, y, 90) for x, y in spots)
    for background in (scenes.Background(), scenes.Background("plain", "blue", (80, 150, 230), (80, 150, 230))):
        assert picture_metrics.parts(scenes.render(scenes.Scene("count", "3d", placed, background), corpus)) == number


def test_sparks_and_empty_pictures_are_no_things():
    picture = np.full((256, 256, 3), 255, np.uint8)
    assert picture_metrics.parts(picture) == 0
    picture[100:108, 100:108] = 0
    assert picture_metrics.parts(picture) == 0


def test_halves_hold_what_is_left_and_right():
    picture = np.zeros((1, 8, 8, 3), np.uint8)
    picture[:, :, :4] = 200
    left, right = picture_metrics.halves(picture)
    assert left.shape == right.shape == picture.shape
    assert left.min() == 200
    assert right.max() == 0


def test_both_halves_must_be_right(monkeypatch):
    vectors = {"x": [1.0, 0.0], "y": [0.0, 1.0]}
    monkeypatch.setattr(picture_metrics, "halves", lambda pictures: pictures)
    monkeypatch.setattr(picture_metrics, "picture_vectors", lambda _, half: torch.tensor([vectors[c] for c in half]))
    first, second = torch.tensor([vectors["x"]] * 4), torch.tensor([vectors["y"]] * 4)
    assert picture_metrics.told_apart(None, first, second, ("xyxy", "yxxy")).tolist() == [True, False, False, False]


def test_unseen_words_are_in_no_caption():
    """The list beside this file holds all words of names, everyday names and keywords, singular and plural."""
    known = set((Path(__file__).parent / "caption_words.txt").read_text().split())
    templates = [*scenes.BACKGROUNDS, *colours.HUES, *(w for style in captions.STYLE_WORDS.values() for w in style[0])]
    templates += ["big", "small", "next", "between", "left", "right", "above", "below", "under", "night", "sky",
                  "grass", "meadow", "white", "background", "two", "three", "four"]  # fmt: skip
    known |= {word for text in templates for word in spelling(text).split()}
    assert len(prompts.UNSEEN) == 100
    for word, meant in prompts.UNSEEN.items():
        assert word.isalpha()
        assert not {word, names.plural(word)} & known
        assert set(spelling(meant).split()) <= known


def test_a_dark_thing_does_not_become_orange(corpus):
    bright = corpus.sprites[2]
    dark = bright.copy()
    dark[..., :3] //= 2
    assert colours.can_become(bright, "orange")
    assert not colours.can_become(dark, "orange")
    assert colours.can_become(dark, "blue")
    brown = np.full((8, 8, 3), (110, 60, 10), np.uint8)
    assert colours.colour_of(brown, np.ones((8, 8))) is None
    assert colours.colour_of(np.full((8, 8, 3), (250, 140, 30), np.uint8), np.ones((8, 8))) == "orange"


def test_portraits_are_held_out_pictures_and_come_again_in_other_places(corpus):
    kept_back = dataclasses.replace(corpus, training=np.array([True, False, False, True]))
    pictures, things = portraits(kept_back, 5)
    assert set(things) == {1, 2}
    assert len(pictures) == 5
    assert np.array_equal(pictures[0], scenes.render(scene_sampler.portrait(int(things[0]), "3d"), corpus))
    assert not np.array_equal(pictures[0], pictures[2])
    with pytest.raises(ValueError, match="holds nothing out"):
        portraits(corpus, 2)


def test_a_caption_names_a_thing_by_any_of_its_names(corpus):
    cat = corpus.things[1]
    assert names_in(cat, "Two cats on the grass")
    assert names_in(cat, "a cat face.")
    assert not names_in(cat, "a catalogue")


def test_what_was_not_measured_is_not_met_and_is_null(capsys):
    assert not evaluate.met("clip_r1", None)
    assert evaluate.met("clip_r1", 0.6)
    assert evaluate.met("caption_ms", 100.0)
    assert not evaluate.met("caption_ms", 140.0)
    table = evaluate.table({"clip_r1": 0.1})
    assert "not measured" in table
    assert "missed" in table
    assert json.loads(json.dumps(dict.fromkeys(evaluate.TARGETS)))["clip_r1"] is None


def test_what_is_measured_is_what_the_studio_offers_first(tmp_path):
    for name in ("sprite-captioner", "sprite-clip"):
        (tmp_path / name).symlink_to(checkpoints.MODELS / name)
    with Image.open(checkpoints.MODELS / "sheets" / "prompts-48.webp") as sheet:
        pictures = np.stack([np.asarray(sheet.convert("RGB").crop((x, 0, x + 160, 160))) for x in (0, 160, 320)])
    texts = model_metrics.offered(tmp_path, pictures, batch=2)
    assert len(texts) == 3
    assert len(set(texts)) > 1
    assert all(text == text.strip() and len(text) > 2 for text in texts)


def test_captions_are_held_against_what_is_in_the_pictures(monkeypatch, corpus):
    scene = {"things": [0, 1]}, np.zeros((8, 8, 3), np.uint8)
    name = [thing.en for thing in corpus.things]

    def offered(models, pictures):
        if len(pictures) == 2:
            return [f"a {name[0]} and a {name[1]}", f"a {name[0]}"]
        return [f"a {name[1]}", "no such thing", f"a {name[2]}", "no such thing"]

    monkeypatch.setattr(checkpoints, "load_captioner", lambda folder, models: ("model", "words"))
    monkeypatch.setattr(model_metrics, "describe", lambda model, words, pictures: (["nothing"] * len(pictures), 5.0))
    monkeypatch.setattr(
        model_metrics, "portraits", lambda corpus, number: (np.zeros((4, 8, 8, 3), np.uint8), [1, 1, 2, 2])
    )
    monkeypatch.setattr(model_metrics, "offered", offered)
    monkeypatch.setattr(scene_sampler, "Composer", lambda *arguments, **options: None)
    monkeypatch.setattr(model_metrics, "example", lambda composer, number, seed: scene)
    told = model_metrics.captioning(Path("cache"), Path("models"), corpus, 4)
    assert told == {"caption_thing": 0.5, "caption_thing_written": 0.0, "caption_scene": 0.5, "caption_ms": 5.0}
