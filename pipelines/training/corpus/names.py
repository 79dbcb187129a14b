"""English names: everyday names for things, articles and plurals."""

import re
from collections.abc import Callable

# Everyday names where Unicode's are stiff. Only names that are true of the thing.
ALIASES = {
    "automobile": ["car"], "wrapped gift": ["gift", "present"], "mobile phone": ["phone", "smartphone"],
    "cat face": ["cat", "cat's head"], "dog face": ["dog", "dog's head"], "mouse face": ["mouse"],
    "rabbit face": ["rabbit", "bunny"], "horse face": ["horse"], "pig face": ["pig"], "cow face": ["cow"],
    "monkey face": ["monkey"], "tiger face": ["tiger"], "soccer ball": ["football", "ball"],
    "deciduous tree": ["tree"], "evergreen tree": ["pine tree", "fir tree"], "couch and lamp": ["couch", "sofa"],
    "airplane": ["plane"], "delivery truck": ["truck"], "articulated lorry": ["lorry"], "hamburger": ["burger"],
    "bicycle": ["bike"], "closed book": ["book"], "laptop": ["computer"], "french fries": ["fries", "chips"],
    "pizza": ["slice of pizza"], "sailboat": ["boat", "sailing boat"], "locomotive": ["steam train"],
    "red apple": ["apple"], "hot beverage": ["cup of coffee", "coffee", "cup of tea"], "red heart": ["heart"],
    "sunflower": ["sunflower", "sun flower"],
    "money bag": ["bag of money"], "jack-o-lantern": ["halloween pumpkin", "pumpkin"],
    "Santa Claus": ["santa"], "spouting whale": ["whale"], "front-facing baby chick": ["chick"],
    "beer mug": ["beer", "mug of beer"], "shortcake": ["piece of cake", "cake"], "ice cream": ["ice cream sundae"],
    "soft ice cream": ["ice cream cone"], "motor scooter": ["scooter"], "racing car": ["race car"],
    "smiling face with sunglasses": ["cool face"], "grinning face": ["smiley", "happy face"], "t-shirt": ["shirt"],
    "hatching chick": ["chick in an egg"], "lady beetle": ["ladybug", "ladybird"], "honeybee": ["bee"],
    "glass of milk": ["milk"], "cooking": ["fried egg"], "bread": ["loaf of bread"], "cheese wedge": ["cheese"],
    "tear-off calendar": ["calendar"], "alarm clock": ["clock"], "wine glass": ["glass of wine", "wine"],
    "passenger ship": ["cruise ship"], "snow-capped mountain": ["mountain"], "sport utility vehicle": ["suv"],
    "fire engine": ["fire truck"], "gem stone": ["diamond", "gem"], "graduation cap": ["mortarboard"],
    "high-heeled shoe": ["high heel"], "running shoe": ["sneaker", "trainer"], "woman's hat": ["sun hat"],
    "billed cap": ["baseball cap", "cap"], "artist palette": ["palette", "paint palette"], "fox": ["fox face"],
    "frog": ["frog face"], "bear": ["bear face"], "panda": ["panda face"], "lion": ["lion face"],
    "ear of corn": ["corn"],
    "hot dog": ["hotdog"], "poultry leg": ["chicken leg"], "cut of meat": ["steak"], "cherry blossom": ["pink flower"],
    "blossom": ["flower"], "automated teller machine": ["cash machine"], "person": ["adult"], "cook": ["chef"],
    "police officer": ["policeman"], "mage": ["wizard"], "prince": ["young king"], "tulip": ["tulip flower"],
    "rose": ["red rose"], "flying saucer": ["ufo"], "alien monster": ["space invader"], "pile of poo": ["poop"],
    "desktop computer": ["computer", "monitor"], "television": ["tv"], "video game": ["game controller", "gamepad"],
    "studio microphone": ["microphone"], "headphone": ["headphones"],
    "magnifying glass tilted left": ["magnifying glass"],
    "locked": ["padlock", "lock"], "straight ruler": ["ruler"], "kitchen knife": ["knife"],
    "house with garden": ["house"],
    "umbrella with rain drops": ["umbrella"], "snowman without snow": ["snowman"], "glowing star": ["shining star"],
    "derelict house": ["old house"], "sun with face": ["smiling sun"], "two-hump camel": ["camel"],
    "bactrian camel": ["camel"], "cooked rice": ["bowl of rice"], "steaming bowl": ["ramen", "noodle soup"],
    "lollipop": ["sweet"], "tropical drink": ["cocktail"], "cup with straw": ["soda"], "bubble tea": ["boba tea"],
}  # fmt: skip
MASS = {
    "bread",
    "honey",
    "rice",
    "corn",
    "milk",
    "wine",
    "beer",
    "coffee",
    "cheese",
    "garlic",
    "spaghetti",
    "sake",
    "salt",
}
IRREGULAR = {
    "mouse": "mice", "sheep": "sheep", "fish": "fish", "goose": "geese", "ox": "oxen", "tooth": "teeth", "foot": "feet",
    "knife": "knives", "leaf": "leaves", "loaf": "loaves", "wolf": "wolves", "deer": "deer", "bison": "bison",
    "person": "people", "child": "children", "human": "humans",
    "shrimp": "shrimp", "squid": "squid", "moose": "moose", "shelf": "shelves",
}  # fmt: skip


def plural_name(name: str) -> bool:
    """Whether a name is a plural already ("grapes") and takes neither article nor a further s."""
    return name.endswith("s") and not name.endswith(("ss", "us", "is", "ros"))


def with_article(name: str) -> str:
    """ "an apple", "a cat"; plurals, substances and proper names stay bare."""
    first = name.split()[0]
    if plural_name(name) or name in MASS or first[:1].isupper() or first in ("the", "two", "piece"):
        return name
    vowel = name.startswith("hour") or (name[0] in "aeiou" and not name.startswith(("ewe", "one", "uni")))
    return f"{'an' if vowel else 'a'} {name}"


def alone(name: str) -> str:
    """A thing as the whole of a caption, by its everyday name; what comes after it does not decide its article."""
    return _head(name, with_article)


def several(name: str) -> str:
    """Its plural, of what one can count; "" of what is many already ("grapes") or cannot be counted."""
    everyday = ALIASES.get(name, [name])[0]
    countable = not plural_name(everyday) and everyday not in MASS and not everyday[:1].isupper()
    return _head(name, plural) if countable else ""


def _head(name: str, said: Callable[[str], str]) -> str:
    """The everyday name with its first part so said: "a man" of "man with beard"."""
    name = ALIASES.get(name, [name])[0]
    kind, _, what = name.partition(": ")
    if what:
        return said(f"{what} {kind}") if what == "bald" else f"{said(kind)} with {what}"
    place = re.search(r" (?:with|of|on|in|without) ", name)
    head = name[: place.start()] if place else name
    return said(head) + name[len(head) :]


def plural(name: str) -> str:
    """The plural of a countable name: its last word's."""
    *head, last = name.split()
    last = IRREGULAR.get(last) or regular_plural(last)
    return " ".join([*head, last])


def regular_plural(word: str) -> str:
    """The plural of one word by its ending; a word that is a plural already stays."""
    if plural_name(word):
        return word
    if word.endswith(("s", "x", "ch", "sh", "z")) or word in ("tomato", "potato", "mango", "volcano"):
        return word + "es"
    if word.endswith("man"):
        return word[:-3] + "men"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"
