"""Prompts are read as they were meant: what the training captions say is read back, and no text breaks the reader."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.scene_reader.reader import read
from pipelines.scene_reader.scene import ABOVE, BESIDE, BETWEEN, LEFT, ON, Item, Relation
from pipelines.scene_reader.vocabulary import Known, Vocabulary
from pipelines.training.corpus import captions, colours, scenes
from pipelines.training.corpus.corpus import Thing

THINGS = [
    Known("cat", ("cat",), ("猫",), ("kitty",)), Known("dog", ("dog",), ("狗",)), Known("car", ("car",), ("汽车",)),
    Known("house", ("house", "house with garden"), ("房子",)), Known("mouse", ("mouse",), ("老鼠",)),
    Known("red apple", ("red apple", "apple"), ("红苹果", "苹果")), Known("orange", ("orange", "tangerine"), ("橘子",)),
    Known("wine", ("glass of wine",), ("葡萄酒",)), Known("sandwich", ("sandwich",), ("三明治",)),
    Known("pie", ("pie",), ("馅饼",)), Known("maths", ("pi",), (), ("cherries",)),
    Known("cherry", ("cherry",), ("樱桃",)), Known("octopus", ("octopus",), ("章鱼",)),
]  # fmt: skip
VOCABULARY = Vocabulary(THINGS)


def said(prompt: str, **more) -> list[tuple]:
    """What was read of each thing: its name, and what differs from one plain one."""
    found = read(prompt, VOCABULARY, **more).items
    return [(i.name, *(v for v in (i.count if i.count > 1 else None, i.colour, i.size) if v)) for i in found]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a cat", [("cat",)]),
        ("two dogs", [("dog", 2)]),
        ("Three MICE!!!", [("mouse", 3)]),
        ("4 red apples", [("red apple", 4)]),
        ("an orange", [("orange",)]),
        ("an orange cat", [("cat", "orange")]),
        ("a blue orange", [("orange", "blue")]),
        ("two oranges and a big red car", [("orange", 2), ("car", "red", "big")]),
        ("glasses of wine", [("wine",)]),
        ("cherries", [("cherry",)]),
        ("two pies", [("pie", 2)]),
        ("the car is red", [("car", "red")]),
        ("kitty", [("cat",)]),
        ("please draw me a picture of a cute house with garden", [("house",)]),
        ("一只猫", [("cat",)]),
        ("两只狗", [("dog", 2)]),
        ("3个苹果", [("red apple", 3)]),
        ("红色的汽车", [("car", "red")]),
        ("粉红色的房子", [("house", "pink")]),
        ("三明治", [("sandwich",)]),
        ("三个三明治", [("sandwich", 3)]),
        ("大猫和小狗", [("cat", "big"), ("dog", "small")]),
        ("一只 cat 和 two dogs", [("cat",), ("dog", 2)]),
    ],
)
def test_things_counts_colours_and_sizes(prompt, expected):
    assert said(prompt) == expected
    assert read(prompt, VOCABULARY).unknown == ()


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a cat to the left of a dog", (LEFT, 0, 1)),
        ("a cat right of a dog", (LEFT, 1, 0)),
        ("a cat above a dog", (ABOVE, 0, 1)),
        ("a cat under a dog", (ABOVE, 1, 0)),
        ("a cat on top of a house", (ON, 0, 1)),
        ("a cat on a car", (ON, 0, 1)),
        ("a cat next to a dog", (BESIDE, 0, 1)),
        ("a cat, a dog", (BESIDE, 0, 1)),
        ("a cat riding a mouse", (ON, 0, 1)),
        ("a dog wearing a cherry", (ABOVE, 1, 0)),
        ("a cat between a dog and a car", (BETWEEN, 0, 1, 2)),
        ("猫在狗的左边", (LEFT, 0, 1)),
        ("猫在狗的右边", (LEFT, 1, 0)),
        ("猫在狗的上方", (ABOVE, 0, 1)),
        ("猫在狗下面", (ABOVE, 1, 0)),
        ("一只猫在汽车上", (ON, 0, 1)),
        ("猫在狗和汽车之间", (BETWEEN, 0, 1, 2)),
    ],
)
def test_relations(prompt, expected):
    kind, *items = expected
    assert read(prompt, VOCABULARY).relations == (Relation(kind, tuple(items)),)


def test_one_relation_does_not_swallow_the_next():
    scene = read("a cat between a dog and a car, next to a house under an octopus", VOCABULARY)
    assert [(r.kind, r.items) for r in scene.relations] == [(BETWEEN, (0, 1, 2)), (BESIDE, (2, 3)), (ABOVE, (4, 3))]


@pytest.mark.parametrize(
    ("prompt", "background", "style"),
    [
        ("a cat on a blue background, 3d render", "blue", "3d"),
        ("a flat cat at night", "night", "flat"),
        ("a cat on the grass, cartoon style", "grass", "cartoon"),
        ("a cat in front of a red background", "red", None),
        ("a cat on a car on a green background", "green", None),
        ("猫，蓝色背景，卡通风格", "blue", "cartoon"),
        ("猫，夜空", "night", None),
        ("3D风格的猫，草地", "grass", "3d"),
    ],
)
def test_background_and_style(prompt, background, style):
    scene = read(prompt, VOCABULARY)
    assert (scene.background, scene.style, scene.items[0].name, scene.unknown) == (background, style, "cat", ())


def test_what_is_not_understood_is_said():
    scene = read("a treasure chest beside a cat, 龙", VOCABULARY)
    assert scene.unknown == ("treasure chest", "龙")
    assert [i.name for i in scene.items] == ["cat"]
    assert scene.notes() == ["Not understood, and left to the words alone: treasure chest, 龙."]
    assert read("", VOCABULARY).notes() == ["No known thing is named."]


def test_a_keyword_never_goes_before_a_word_that_is_understood():
    """As emoji have them: "a" of a hundred points, "cartoon" of a thought balloon, "hat" of all that wear one."""
    vague = [
        Known("hundred points", ("hundred points",), ("一百分",), ("a", "100", "大")),
        Known("thought balloon", ("thought balloon",), (), ("cartoon", "idea")),
        Known("wizard", ("wizard",), (), ("hat",)),
        Known("cowboy", ("cowboy",), (), ("hat",)), Known("cat", ("cat",), ("猫",), ("kitty", "purring")),
    ]  # fmt: skip
    vocabulary = Vocabulary(vague)
    for prompt in ("a cat, cartoon", "大猫", "100 cats", "a kitty"):
        assert [i.name for i in read(prompt, vocabulary).items] == ["cat"], prompt
    assert [i.name for i in read("a cat, kitty, a cat", vocabulary).items] == ["cat", "cat"]
    assert read("a purring cat in a hat", vocabulary).unknown == ("purring", "hat")
    assert [i.name for i in read("an idea", vocabulary).items] == ["thought balloon"]


def test_something_alike_stands_for_it_and_that_is_said():
    scene = read(
        "two blue treasure chests", VOCABULARY, guess=lambda words: ("house", 0.6) if "chest" in words else None
    )
    assert scene.items == (Item("house", "treasure chests", 2, "blue", None, 0.6),)
    assert scene.notes() == ["No “treasure chests” is known: house stands for it."]


GRAMMAR = [
    Thing(k.name, k.english[0], k.chinese[0], (), (), 3, 34, 1.0)
    for k in THINGS
    if k.chinese and len(k.english[0].split()) == 1
]


def planned(kind: str, draw: np.random.Generator) -> scenes.Scene:
    """A random scene of some kind, as the captions describe them."""
    relation = str(draw.choice(["left", "above", "on", "size"])) if kind == "pair" else None
    number = {"single": 1, "pair": 2, "between": 3}.get(kind) or int(draw.integers(2, 5))
    chosen = draw.choice(len(GRAMMAR), 1 if kind == "count" else number, replace=False)
    hues = [c for c in colours.HUES if c != "orange"]
    colour = [str(draw.choice(hues)) if draw.random() < 0.4 else None for _ in chosen]
    placed = [scenes.Placed(int(t), 0, 0, 0, c) for t, c in zip(chosen, colour, strict=True)]
    style = str(draw.choice(list(captions.STYLE_WORDS)))
    return scenes.Scene(kind, style, tuple(placed * number if kind == "count" else placed),
                        scenes.draw_background(draw, 0.5), relation)  # fmt: skip


@pytest.mark.parametrize("kind", ["single", "count", "pair", "between"])
@pytest.mark.parametrize("language", ["english", "chinese"])
def test_what_training_captions_say_is_read_back(kind, language):
    for seed in range(120):
        draw = np.random.default_rng(seed)
        scene = planned(kind, draw)
        caption = getattr(captions, language)(draw, scene, GRAMMAR)
        found = read(caption, VOCABULARY)
        many = {p.thing for p in scene.placed} if kind == "count" else [p.thing for p in scene.placed]
        assert sorted(i.name for i in found.items) == sorted(GRAMMAR[t].key for t in many), caption
        assert {(i.name, i.colour) for i in found.items} == {(GRAMMAR[p.thing].key, p.colour) for p in scene.placed}
        assert found.items[0].count == (len(scene.placed) if kind == "count" else 1), caption
        assert found.unknown == (), caption
        back = scene.background
        if back.kind in ("plain", "night", "grass"):
            assert found.background == (back.name or back.kind), caption
        check_relation(scene, found, caption)


def check_relation(scene: scenes.Scene, found, caption: str) -> None:
    """The first thing is where the scene has it, unless the caption only lists them."""
    names = [GRAMMAR[p.thing].key for p in scene.placed]
    (relation,) = found.relations[:1] or (None,)
    if relation is None or relation.kind == BESIDE:
        return
    seen = [found.items[i].name for i in relation.items]
    assert seen == (names if relation.kind != BETWEEN else [names[1], names[0], names[2]]), caption
    assert relation.kind == (scene.relation or BETWEEN), caption


PIECES = [
    "cat", "dogs", "between", "and", "on", ",", "under", "在", "猫", "和", "之间", "左边", "red", "红色的", "two",
    "两只", "99999", "background", "背景", "的", "of", "the",
]  # fmt: skip


@given(st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join))
def test_any_text_is_read(text):
    scene = read(text, VOCABULARY, guess=lambda words: None)
    assert all(0 <= i < len(scene.items) for r in scene.relations for i in r.items)
    assert all(i.count >= 1 for i in scene.items)
    assert isinstance(scene.notes(), list)


def test_a_very_long_prompt_costs_little():
    assert len(read("a cat and " * 100_000, VOCABULARY).items) <= 200
