"""What can be said of a scene, in English and in Chinese: several wordings, each true by construction."""

import numpy as np

from pipelines.training.corpus.corpus import OTHERS, Thing
from pipelines.training.corpus.names import ALIASES, plural, with_article
from pipelines.training.corpus.scenes import Placed, Scene

STYLE_WORDS = {
    "3d": (["3d", "3d render", "3d rendered"], ["3D", "立体"]),
    "flat": (["flat", "flat design", "flat icon style"], ["扁平", "扁平化"]),
    "noto": (["cartoon", "cartoon style"], ["卡通"]),
    "glossy": (["glossy", "shiny"], ["光泽"]),
    "twemoji": (["simple", "simple emoji style"], ["简约"]),
    "emojione": (["clip art"], ["剪贴画"]),
}
# Without a word of style a prompt means the first style: one clear look for the shortest prompts.
UNSTYLED = {"3d": 0.7} | dict.fromkeys(OTHERS, 1.0)
UNSTYLED_ELSE = 0.12
COLOURS_ZH = {
    "red": "红色", "orange": "橙色", "yellow": "黄色", "green": "绿色", "blue": "蓝色", "purple": "紫色",
    "pink": "粉色", "grey": "灰色", "black": "黑色", "white": "白色",
}  # fmt: skip
NUMBERS = {2: ("two", "2", "两"), 3: ("three", "3", "三"), 4: ("four", "4", "四")}


def name_of(draw: np.random.Generator, thing: Thing) -> str:
    """The thing's name or, where it has everyday names, often one of them."""
    aliases = ALIASES.get(thing.en, [])
    if aliases and draw.random() < 0.6:
        return str(draw.choice(aliases))
    return thing.en


def english_item(draw: np.random.Generator, thing: Thing, placed: Placed, article: bool) -> str:
    """ "a red car", "the cat", "dog"."""
    name = name_of(draw, thing)
    if placed.colour:
        name = f"{placed.colour} {name}"
    return with_article(name) if article else name


def chinese_item(thing: Thing, placed: Placed) -> str:
    """ "红色的汽车", "猫"."""
    return f"{COLOURS_ZH[placed.colour]}的{thing.zh}" if placed.colour else thing.zh


def english(draw: np.random.Generator, scene: Scene, things: list[Thing]) -> str:
    """One English caption, often with a word of style."""
    return english_style(draw, scene, unstyled(draw, scene, things))


def unstyled(draw: np.random.Generator, scene: Scene, things: list[Thing]) -> str:
    """One English caption without a word of style."""
    text = {"single": english_single, "count": english_count, "pair": english_pair, "between": english_between}[
        scene.kind
    ](draw, scene, things)
    return text + english_background(draw, scene)


def english_single(draw: np.random.Generator, scene: Scene, things: list[Thing]) -> str:
    item, thing = scene.placed[0], things[scene.placed[0].thing]
    text = english_item(draw, thing, item, article=draw.random() < 0.5)
    if thing.tags_en and draw.random() < 0.08:
        text += ", " + ", ".join(draw.permutation(thing.tags_en)[:2])
    return text


def english_count(draw: np.random.Generator, scene: Scene, things: list[Thing]) -> str:
    number = NUMBERS[len(scene.placed)][draw.integers(2)]
    item, thing = scene.placed[0], things[scene.placed[0].thing]
    return f"{number} {plural(english_item(draw, thing, item, article=False))}"


def english_pair(draw: np.random.Generator, scene: Scene, things: list[Thing]) -> str:
    article = draw.random() < 0.7
    a, b = (english_item(draw, things[p.thing], p, article and scene.relation != "size") for p in scene.placed)
    forms = {
        "left": [f"{a} to the left of {b}", f"{b} to the right of {a}", f"{a} next to {b}", f"{a} and {b}",
                 f"{a} left of {b}", f"{b} right of {a}"],
        "above": [f"{a} above {b}", f"{b} under {a}", f"{b} below {a}"],
        "on": [f"{a} on {b}", f"{a} on top of {b}"],
        "size": [f"big {a} and small {b}", f"{with_article('small ' + b)} next to {with_article('big ' + a)}"],
    }  # fmt: skip
    return str(draw.choice(forms[scene.relation]))


def english_between(draw: np.random.Generator, scene: Scene, things: list[Thing]) -> str:
    a, b, c = (english_item(draw, things[p.thing], p, article=True) for p in scene.placed)
    return str(draw.choice([f"{b} between {a} and {c}", f"{a}, {b} and {c}"]))


def english_background(draw: np.random.Generator, scene: Scene) -> str:
    back = scene.background
    if back.kind == "plain":
        return f" on {with_article(back.name)} background"
    words = {"night": [" at night", " in the night sky"], "grass": [" on the grass", " on a meadow"]}
    if back.kind in words:
        return str(draw.choice(words[back.kind]))
    return " on a white background" if back.kind == "white" and draw.random() < 0.06 else ""


def english_style(draw: np.random.Generator, scene: Scene, text: str) -> str:
    if draw.random() < UNSTYLED.get(scene.style, UNSTYLED_ELSE):
        return text
    word = str(draw.choice(STYLE_WORDS[scene.style][0]))
    if draw.random() < 0.5 or " " in word or scene.kind != "single":
        return f"{text}, {word}"
    bare = text.split(" ", 1)
    return with_article(f"{word} {bare[1]}") if bare[0] in ("a", "an") and len(bare) > 1 else f"{word} {text}"


def chinese(draw: np.random.Generator, scene: Scene, things: list[Thing]) -> str:
    """One Chinese caption."""
    items = [chinese_item(things[p.thing], p) for p in scene.placed]
    if scene.kind == "single":
        text = ("一个" if draw.random() < 0.3 else "") + items[0]
    elif scene.kind == "count":
        text = f"{NUMBERS[len(items)][2]}个{items[0]}"
    elif scene.kind == "between":
        text = f"{items[1]}在{items[0]}和{items[2]}之间"
    else:
        text = chinese_pair(draw, scene, *items)
    back = {"plain": f"，{COLOURS_ZH.get(scene.background.name or '', '')}背景", "night": "，夜空", "grass": "，草地"}
    text += back.get(scene.background.kind, "")
    if draw.random() < UNSTYLED.get(scene.style, UNSTYLED_ELSE):
        return text
    return f"{text}，{draw.choice(STYLE_WORDS[scene.style][1])}风格"


def chinese_pair(draw: np.random.Generator, scene: Scene, a: str, b: str) -> str:
    forms = {
        "left": [f"{a}在{b}的左边", f"{b}在{a}的右边", f"{a}和{b}"],
        "above": [f"{a}在{b}的上方", f"{b}在{a}的下方"],
        "on": [f"{a}在{b}上面"],
        "size": [f"大{a}和小{b}"],
    }
    return str(draw.choice(forms[scene.relation]))
