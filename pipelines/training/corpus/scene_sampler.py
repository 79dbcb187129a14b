"""Draw random scenes from the corpus: single things, counts, pairs in relations, one between two others."""

from functools import cached_property

import numpy as np

from pipelines.training.corpus.colours import HUES, can_become, can_recolour, dominant, name_of
from pipelines.training.corpus.corpus import SIZE, Corpus
from pipelines.training.corpus.scenes import Background, Placed, Scene, draw_background, unseen

# Scenes are made of what one can count and move: animals, food, vehicles and buildings, balls and toys, objects.
PORTABLE = {3, 4, 5, 6, 7}
NOT_PORTABLE = {49, 50, 53, 58, 59, 60, 61, 66, 63, 74, 72, 73}
KINDS = {"single": 0.66, "count": 0.14, "pair": 0.16, "between": 0.04}


class Composer:
    """Random scenes of a corpus in given shares of styles.

    `held_out` True draws pairs and rows whose things training never shows together, and no other scenes of several.
    """

    def __init__(
        self, corpus: Corpus, styles: dict[str, float], kinds: dict[str, float] = KINDS, held_out: bool = False
    ):
        self.corpus, self.styles, self.kinds, self.held_out = corpus, styles, kinds, held_out
        self.names = list(styles)
        share = np.array([styles[s] for s in self.names])
        self.share = share / share.sum()
        self.pool = {s: corpus.shares({s: 1.0}) for s in self.names}

    @cached_property
    def portable(self) -> dict[str, np.ndarray]:
        """By style, the pictures of things that scenes are made of."""
        things = self.corpus.things
        good = {i for i, t in enumerate(things) if t.group in PORTABLE and t.subgroup not in NOT_PORTABLE}
        good = {i for i in good if len(things[i].en.split()) <= 2}
        return {s: np.flatnonzero((p > 0) & np.isin(self.corpus.thing, list(good))) for s, p in self.pool.items()}

    def scene(self, draw: np.random.Generator) -> Scene:
        """One random scene."""
        style = str(draw.choice(self.names, p=self.share))
        kind = str(draw.choice(list(self.kinds), p=list(self.kinds.values())))
        if kind == "single":
            return self.single(draw, style)
        while True:
            scene = getattr(self, kind)(draw, style)
            if self.held_out == unseen(kind, [self.corpus.things[p.thing].key for p in scene.placed]):
                return scene

    def single(self, draw: np.random.Generator, style: str) -> Scene:
        """One thing, nearly filling the picture, sometimes recoloured."""
        row = draw.choice(len(self.pool[style]), p=self.pool[style])
        return single(self.corpus, draw, int(self.corpus.thing[row]), style)

    def some(self, draw: np.random.Generator, style: str, number: int) -> list[int]:
        """`number` different things for a scene."""
        rows = draw.choice(self.portable[style], number, replace=False)
        return [int(t) for t in self.corpus.thing[rows]]

    def count(self, draw: np.random.Generator, style: str) -> Scene:
        """Two to four of one thing, in places that never overlap."""
        thing, number = self.some(draw, style, 1)[0], int(draw.choice([2, 3, 4], p=[0.45, 0.35, 0.2]))
        spots = {
            2: [(70, 128), (186, 128)],
            3: [[(70, 72), (186, 72), (128, 184)], [(44, 128), (128, 128), (212, 128)]][draw.integers(2)],
            4: [(70, 70), (186, 70), (70, 186), (186, 186)],
        }[number]
        row = number == 3 and spots[0][1] == 128
        side = draw.uniform(70, 82) if row else draw.uniform(96, 112)
        colour = colour_for(self.corpus, draw, thing, style, 0.12)
        placed = [Placed(thing, x + draw.uniform(-3, 3), y + draw.uniform(-5, 5), side, colour) for x, y in spots]
        return Scene("count", style, tuple(placed), draw_background(draw))

    def pair(self, draw: np.random.Generator, style: str) -> Scene:
        """Two things: beside each other, one above, one standing on the other, or one big and one small."""
        first, second = self.some(draw, style, 2)
        relation = str(draw.choice(["left", "above", "on", "size"], p=[0.5, 0.2, 0.15, 0.15]))
        spots = {
            "left": [(70, 128, 118), (186, 128, 118)],
            "above": [(128, 68, 114), (128, 190, 114)],
            "on": [(128, 62, 106), (128, 178, 140)],
            "size": [(88, 128, 168), (212, 150, 74)],
        }[relation]
        placed = [
            Placed(t, x + draw.uniform(-4, 4), y + draw.uniform(-4, 4), s * draw.uniform(0.95, 1.03),
                   colour_for(self.corpus, draw, t, style, 0.1))
            for t, (x, y, s) in zip((first, second), spots, strict=True)
        ]  # fmt: skip
        return Scene("pair", style, tuple(placed), draw_background(draw), relation)

    def between(self, draw: np.random.Generator, style: str) -> Scene:
        """One thing between two others, in a row."""
        things = self.some(draw, style, 3)
        placed = [Placed(t, x, 128 + draw.uniform(-4, 4), 80) for t, x in zip(things, (44, 128, 212), strict=True)]
        return Scene("between", style, tuple(placed), draw_background(draw))


class Portraits(Composer):
    """Every thing always in one place and size on white, a quarter of them recoloured: few pictures, soon known.

    A cell of the latents is 32 pixels: a thing that wanders by less than that must be learnt anew at every place.
    """

    def scene(self, draw: np.random.Generator) -> Scene:
        """One random portrait."""
        style = str(draw.choice(self.names, p=self.share))
        thing = int(self.corpus.thing[draw.choice(len(self.pool[style]), p=self.pool[style])])
        return portrait(thing, style, colour_for(self.corpus, draw, thing, style, 0.25))


def single(corpus: Corpus, draw: np.random.Generator, thing: int, style: str, recoloured: float = 0.14) -> Scene:
    """One given thing: centred give or take, on a random background."""
    side = draw.uniform(196, 246)
    slack = (SIZE - side) / 2
    x, y = 128 + draw.uniform(-slack, slack, 2)
    colour = colour_for(corpus, draw, thing, style, recoloured)
    return Scene("single", style, (Placed(thing, x, y, side, colour),), draw_background(draw))


def portrait(thing: int, style: str, colour: str | None = None) -> Scene:
    """One thing, large, on white: the picture that evaluation compares with."""
    return Scene("single", style, (Placed(thing, 128, 128, 230, colour),), Background())


def colour_for(corpus: Corpus, draw: np.random.Generator, thing: int, style: str, chance: float) -> str | None:
    """A colour to give the thing, or None: not drawn, not colourable, or what it has and its name says already."""
    if draw.random() >= chance:
        return None
    sprite = corpus.sprites[corpus.index[thing, style]]
    words = corpus.things[thing].en.split()
    if any(word in HUES for word in words) or not can_recolour(sprite):
        return None
    own = name_of(dominant(sprite[..., :3], sprite[..., 3] / 255.0)[0])
    colour = str(draw.choice(list(HUES)))
    return None if colour == own or not can_become(sprite, colour) else colour
