"""The corpus: about a thousand things, drawn in up to nine styles, with their names in English and Chinese.

Built once into the cache folder from pinned npm packages:

    things.json    one row a thing: key (code point), names, keywords, group, weight
    sprites.json   one row a picture: thing (row number), style
    sprites.npy    uint8 (pictures, 256, 256, 4), alpha premultiplied, so that resizing needs no care at the edges
"""

import hashlib
import io
import json
import os
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.training.corpus.icon_packages import PACKAGES, read

SIZE = 256
STYLES = ("3d", "flat", "noto", "glossy", "twemoji", "emojione")
# Other hands' drawings of some of the things: eyes learn from them too what all cats have in common. Never held out.
OTHERS = ("noto-v1", "fxemoji", "streamline")
# How often a thing is drawn in training, by emojibase's group: 0 faces, 1 people, 3 animals, 4 food, 5 travel,
# 6 activities, 7 objects. Symbols and flags stay out, but for a few shapes: nobody asks a picture model for them.
GROUP_WEIGHT = {0: 0.6, 1: 0.5, 3: 1.0, 4: 1.0, 5: 1.0, 6: 0.9, 7: 0.8}
SHAPES = 96
SUBGROUP_WEIGHT = {16: 0.3, 17: 0.3, 18: 0.3, 19: 0.3, 20: 0.3, 58: 0.4, SHAPES: 0.3}
HELD_OUT = 0.05


@dataclass(frozen=True)
class Thing:
    """One thing of the corpus; `en` and `zh` are its names, the tags its keywords, `weight` its share in training."""

    key: str
    en: str
    zh: str
    tags_en: tuple[str, ...]
    tags_zh: tuple[str, ...]
    group: int
    subgroup: int
    weight: float


def cache_folder() -> Path:
    """Where corpus and checkpoints lie: TRIPTYCH_TRAINING_CACHE, else a folder in the user's cache."""
    default = Path.home() / ".cache" / "triptych-training"
    return Path(os.environ.get("TRIPTYCH_TRAINING_CACHE", default))


def code(text: str) -> str:
    """Code points as one key: lower case, joined by '-', without the variation selector."""
    return "-".join(part for part in text.lower().split("-") if part != "fe0f")


def held_out(key: str, style: str) -> bool:
    """Whether this thing in this style is never shown in training: 5 % by hash, the same on every machine."""
    digest = hashlib.sha256(f"{key}/{style}".encode()).digest()
    return style in STYLES and int.from_bytes(digest[:4], "big") < HELD_OUT * 2**32


def slug(label: str) -> str:
    """An icon's name from a label, as iconify makes it."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower().replace("’", "").replace("ñ", "n")).strip("-")


def wanted(row: dict) -> bool:
    """Leave out symbols, flags, families, o'clocks, and the gendered and mirrored doubles of people."""
    label, group = row["label"], row.get("group")
    if row.get("subgroup") == SHAPES:
        return "square button" not in label and "medium" not in label and "radio" not in label
    if group not in GROUP_WEIGHT or row.get("subgroup") in (30, 31):
        return False
    if "o’clock" in label or "-thirty" in label or "facing right" in label:
        return False
    return not (group == 1 and re.match(r"(man|woman|men|women|deaf man|deaf woman)[ :]", label))


def read_things(folder: Path) -> list[Thing]:
    """The things, in Unicode's order, from emojibase's English and Chinese tables."""
    tables = {
        lang: json.loads(read(PACKAGES["names"], folder, f"{lang}/data.json")[f"{lang}/data.json"])
        for lang in ("en", "zh")
    }
    chinese = {row["hexcode"]: row for row in tables["zh"]}
    rows = sorted((r for r in tables["en"] if wanted(r)), key=lambda r: r["order"])
    return [make_thing(row, chinese[row["hexcode"]]) for row in rows]


def make_thing(en: dict, zh: dict) -> Thing:
    """One thing from its rows in both tables."""
    weight = SUBGROUP_WEIGHT.get(en["subgroup"], GROUP_WEIGHT.get(en["group"], 0.3))
    tags = tuple(dict.fromkeys(t for t in en.get("tags", []) if t != en["label"]))
    return Thing(
        key=code(en["hexcode"]),
        en=en["label"].replace("’", "'"),
        zh=zh["label"],
        tags_en=tags,
        tags_zh=tuple(zh.get("tags", [])),
        group=en["group"],
        subgroup=en["subgroup"],
        weight=weight,
    )


def icon_sources(style: str, things: list[Thing], folder: Path) -> dict[str, bytes]:
    """SVG or WebP source by thing key, for one style."""
    if style == "3d":
        files = read(PACKAGES[style], folder, "assets/")
        by_code = {code(Path(name).stem): data for name, data in files.items()}
        return {t.key: by_code[t.key] for t in things if t.key in by_code}
    files = read(PACKAGES[style], folder, "")
    table, chars = json.loads(files["icons.json"]), json.loads(files["chars.json"])
    if style == "glossy":  # has no table of code points, but the names of its flat sister
        chars = json.loads(read(PACKAGES["flat"], folder, "chars.json")["chars.json"])
    names = {code(point): name for point, name in chars.items()}
    found = {t.key: named(table, names.get(t.key, slug(t.en))) for t in things}
    return {key: svg.encode() for key, svg in found.items() if svg}


def named(table: dict, name: str) -> str | None:
    """The icon `name`, which some tables write in one word."""
    return resolve(table, name) or resolve(table, name.replace("-", ""))


def resolve(table: dict, name: str) -> str | None:
    """The icon `name` of an iconify table as an SVG document, through one alias; None when there is none."""
    name = table.get("aliases", {}).get(name, {}).get("parent", name)
    icon = table["icons"].get(name)
    if icon is None:
        return None
    box = [
        icon.get(k, table.get(k, d))
        for k, d in (("left", 0), ("top", 0), ("width", table.get("width", 16)), ("height", table.get("height", 16)))
    ]
    view = " ".join(str(v) for v in box)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{view}" width="{box[2]}" height="{box[3]}">{icon["body"]}</svg>'
    )


def render(source: bytes, size: int = SIZE) -> np.ndarray:
    """Premultiplied RGBA, uint8 (size, size, 4), of a WebP or SVG source, fitted into the square."""
    if source[:4] == b"RIFF":
        picture = Image.open(io.BytesIO(source)).convert("RGBA")
    else:
        import resvg_py  # the `train` extra: only building the corpus needs it

        png = resvg_py.svg_to_bytes(svg_string=source.decode(), width=size, skip_system_fonts=True)
        picture = Image.open(io.BytesIO(png)).convert("RGBA")
    picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", (size, size))
    canvas.paste(picture, ((size - picture.width) // 2, (size - picture.height) // 2))
    rgba = np.asarray(canvas).astype(np.uint16)
    rgba[..., :3] = (rgba[..., :3] * rgba[..., 3:] + 127) // 255
    return rgba.astype(np.uint8)


def build(folder: Path, processes: int = 2) -> Path:
    """Fetch and render everything into `folder`/corpus; does nothing when it is there."""
    target = folder / "corpus"
    if target.exists():
        return target
    things = read_things(folder / "packages")
    rows, sources = [], []
    for style in (*STYLES, *OTHERS):
        found = icon_sources(style, things, folder / "packages")
        for number, thing in enumerate(things):
            if thing.key in found:
                rows.append({"thing": number, "style": style})
                sources.append(found[thing.key])
    partial_folder = folder / "corpus.part"
    partial_folder.mkdir(parents=True, exist_ok=True)
    sprites = np.lib.format.open_memmap(
        partial_folder / "sprites.npy", mode="w+", dtype=np.uint8, shape=(len(rows), SIZE, SIZE, 4)
    )
    with ProcessPoolExecutor(processes) as pool:
        for index, rgba in enumerate(pool.map(partial(render), sources, chunksize=16)):
            sprites[index] = rgba
    sprites.flush()
    (partial_folder / "things.json").write_text(json.dumps([vars(t) for t in things], ensure_ascii=False, indent=0))
    (partial_folder / "sprites.json").write_text(json.dumps(rows))
    partial_folder.rename(target)
    return target


@dataclass(frozen=True)
class Corpus:
    """The built corpus: `sprites[i]` shows `things[thing[i]]` in `style[i]`; `index` finds i by (thing, style)."""

    things: list[Thing]
    sprites: np.ndarray
    thing: np.ndarray
    style: np.ndarray
    index: dict[tuple[int, str], int]
    training: np.ndarray

    @classmethod
    def open(cls, folder: Path) -> "Corpus":
        """Build if needed, then map the pictures (1.8 GB) without reading them."""
        target = build(folder)
        things = [Thing(**row) for row in json.loads((target / "things.json").read_text())]
        rows = json.loads((target / "sprites.json").read_text())
        thing = np.array([row["thing"] for row in rows])
        style = np.array([row["style"] for row in rows])
        shown = np.array([not held_out(things[t].key, s) for t, s in zip(thing, style, strict=True)])
        index = {(int(t), str(s)): i for i, (t, s) in enumerate(zip(thing, style, strict=True))}
        return cls(things, np.load(target / "sprites.npy", mmap_mode="r"), thing, style, index, shown)

    def shares(self, styles: dict[str, float]) -> np.ndarray:
        """Probability of each training picture, float64 (pictures,), for given shares of the styles."""
        share = np.array(
            [self.things[t].weight * styles.get(s, 0.0) for t, s in zip(self.thing, self.style, strict=True)]
        )
        share *= self.training
        return share / share.sum()
