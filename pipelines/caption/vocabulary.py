"""What the alignment looks for where a captioner names too little: everyday things, and ways of making pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

THINGS = tuple(
    """person, man, woman, child, baby, crowd, face, hand, eye, smile, beard, hat, glasses, dress, shirt, shoes, bag,
    cat, dog, horse, cow, sheep, pig, goat, rabbit, mouse, bear, panda, lion, tiger, elephant, monkey, giraffe, zebra,
    fox, wolf, deer, squirrel, bird, parrot, owl, duck, chicken, penguin, eagle, fish, shark, whale, dolphin, octopus,
    crab, turtle, frog, snake, lizard, dinosaur, dragon, unicorn, butterfly, bee, spider, ant, snail, flower, rose,
    sunflower, tree, palm tree, leaf, grass, forest, mushroom, cactus, mountain, hill, volcano, desert, beach, sea,
    river, lake, waterfall, island, sky, cloud, rain, snow, lightning, rainbow, sun, moon, star, planet, night, sunset,
    fire, smoke, water, ice, rock, sand, city, street, building, house, castle, church, bridge, tower, lighthouse,
    window, door, garden, farm, park, car, bus, truck, train, bicycle, motorcycle, boat, ship, airplane, helicopter,
    rocket, robot, table, chair, sofa, bed, lamp, clock, mirror, kitchen, bathroom, office, classroom, book, newspaper,
    letter, map, pencil, computer, keyboard, phone, camera, television, radio, guitar, piano, violin, drum, trumpet,
    microphone, ball, football, basketball, tennis racket, game, toy, doll, balloon, gift, candle, crown, ring, key,
    lock, hammer, knife, scissors, tool, gear, medal, trophy, flag, sign, arrow, heart, umbrella, bottle, glass, cup,
    coffee, tea, wine, beer, bread, cake, cookie, ice cream, chocolate, pizza, hamburger, sandwich, pasta, rice, soup,
    sushi, cheese, egg, meat, apple, banana, orange, lemon, strawberry, cherry, grapes, watermelon, pineapple, tomato,
    carrot, corn, pepper, money, coin, diamond, ghost, skull, angel, mask, firework, text, number, pattern""".replace(
        "\n", " "
    ).split(", ")
)
THINGS = tuple(" ".join(thing.split()) for thing in THINGS)
MEDIUMS = ("photograph", "3d render", "flat illustration", "cartoon", "emoji", "line drawing", "watercolour painting",
           "oil painting", "pixel art", "pencil sketch", "icon", "logo", "screenshot", "diagram")  # fmt: skip
TEMPLATES = ("a picture of {}",)  # one: several hundred things in four wordings take a large model most of a minute
MOST = 8  # labels of one picture
SHARE = 0.25  # of the likeliest label's probability: what is less likely is left out
TIMES_CHANCE = 3.0  # and so many times likelier than a label that was drawn at random
# Beside a captioner's weights: the things that its pictures show, one a line: what is said of it ("a car") and, each
# after a tab, the name under which the alignment finds it where that is another ("automobile"), and what is said of
# several ("cars")
FILE = "vocabulary.txt"
_LINES, _LENGTH = 5000, 100  # more names, and more characters of a name, are not read


@dataclass(frozen=True, slots=True)
class Names:
    """said: captions of things; sought: the name by which the alignment knows each; several: what is said of two or
    more, "" where that is unknown. False where there are none."""

    said: tuple[str, ...] = ()
    sought: tuple[str, ...] = ()
    several: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.said)


def beside(folder: Path) -> Names:
    """The names that a captioner brings along; none without such a file."""
    file = folder / FILE
    if not file.is_file():
        return Names()
    lines = (line.strip() for line in file.read_text("utf-8").splitlines()[:_LINES])
    rows = [[part[:_LENGTH] for part in f"{line}\t\t".split("\t")[:3]] for line in dict.fromkeys(lines) if line]
    return Names(
        tuple(said for said, _, _ in rows),
        tuple(sought or said for said, sought, _ in rows),
        tuple(several for _, _, several in rows),
    )
