"""What a caption says is what was drawn."""

import numpy as np
import pytest

from pipelines.training.corpus import captions, colours, scenes
from pipelines.training.corpus.names import alone, plural, several, with_article
from pipelines.training.corpus.scene_sampler import Composer


def drawn(corpus, kind: str, number: int = 30) -> list[tuple[scenes.Scene, str, str]]:
    """Scenes of one kind with an English and a Chinese caption."""
    composer, found = Composer(corpus, {"3d": 1.0}, {kind: 1.0}), []
    for seed in range(number):
        draw = np.random.default_rng(seed)
        scene = composer.scene(draw)
        found.append(
            (scene, captions.english(draw, scene, corpus.things), captions.chinese(draw, scene, corpus.things))
        )
    return found


def test_counts_are_the_number_of_things_drawn(corpus):
    words = {2: ("two", "2"), 3: ("three", "3"), 4: ("four", "4")}
    for scene, english, chinese in drawn(corpus, "count"):
        assert english.split()[0] in words[len(scene.placed)]
        assert chinese[0] == {2: "两", 3: "三", 4: "四"}[len(scene.placed)]


def test_left_is_left_and_above_is_above(corpus):
    for scene, english, _ in drawn(corpus, "pair", 60):
        first, second = scene.placed
        if scene.relation == "left":
            assert first.x < second.x
        if scene.relation in ("above", "on"):
            assert first.y < second.y
        if " left of " in english:
            before, after = (english.index(name(corpus, p)) for p in (first, second))
            assert before < after


def name(corpus, placed: scenes.Placed) -> str:
    """The last word of a thing's name, which all its names here share a part of."""
    return {"red apple": "apple", "cat face": "cat", "mouse": "mouse", "knife": "knife"}[corpus.things[placed.thing].en]


def test_the_middle_one_stands_between(corpus):
    for scene, _, chinese in drawn(corpus, "between"):
        xs = [p.x for p in scene.placed]
        assert xs == sorted(xs)
        assert "之间" in chinese


@pytest.mark.parametrize("colour", colours.HUES)
def test_a_recoloured_thing_has_the_colour_it_is_said_to_have(corpus, colour):
    moved = colours.recolour(corpus.sprites[0], colour)
    assert colours.name_of(colours.dominant(moved[..., :3], moved[..., 3] / 255.0)[0]) == colour
    assert np.array_equal(moved[..., 3], corpus.sprites[0][..., 3])


def test_names_that_say_a_colour_are_never_recoloured(corpus):
    found = [p.colour for scene, _, _ in drawn(corpus, "single", 80) for p in scene.placed if p.thing == 0]
    assert found
    assert set(found) == {None}


def test_things_of_a_count_do_not_touch(corpus):
    for scene, _, _ in drawn(corpus, "count"):
        for i, a in enumerate(scene.placed):
            for b in scene.placed[:i]:
                assert max(abs(a.x - b.x), abs(a.y - b.y)) > 0.9 * (a.side + b.side) / 2


def test_a_name_alone_is_a_caption():
    said = ["cat face", "face with big eyes", "person: beard", "person: bald", "grapes", "hourglass done", "ewe"]
    assert [alone(name) for name in said] == [
        "a cat", "a face with big eyes", "a person with beard", "a bald person", "grapes", "an hourglass done", "a ewe",
    ]  # fmt: skip


def test_articles_and_plurals():
    assert [with_article(n) for n in ("apple", "cat", "grapes", "milk")] == ["an apple", "a cat", "grapes", "milk"]
    assert [plural(n) for n in ("kitchen knife", "mouse", "fox", "cherry", "glasses", "cat")] == [
        "kitchen knives", "mice", "foxes", "cherries", "glasses", "cats",
    ]  # fmt: skip


def test_a_picture_is_the_same_every_time(corpus):
    scene, _, _ = drawn(corpus, "pair", 1)[0]
    assert np.array_equal(scenes.render(scene, corpus), scenes.render(scene, corpus))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("automobile", "cars"),
        ("hatching chick", "chicks in an egg"),
        ("person: beard", "people with beard"),
        ("knife", "knives"),
        ("snowman without snow", "snowmen"),
        ("grapes", ""),
        ("salt", ""),
        ("Santa Claus", "santas"),
        ("T-Rex", ""),
    ],
)
def test_what_is_said_of_several(name, said):
    assert several(name) == said
