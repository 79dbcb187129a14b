"""English prompts cut into tokens."""

from __future__ import annotations

from pipelines.scene_reader import tokens
from pipelines.scene_reader.scene import ABOVE, BESIDE, BETWEEN, LEFT, ON
from pipelines.scene_reader.tokens import Token
from pipelines.scene_reader.vocabulary import WORD, Vocabulary

COLOURS = {c: c for c in ("red", "orange", "yellow", "green", "blue", "purple", "pink", "grey", "black", "white")} | {
    "gray": "grey", "violet": "purple", "crimson": "red", "golden": "yellow", "brown": "brown",
}  # fmt: skip
NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "pair of": 2, "couple of": 2, "several": 3, "dozen": 12,
}  # fmt: skip
SIZES = dict.fromkeys(("big", "large", "huge", "giant", "enormous", "tall"), "big") | dict.fromkeys(
    ("small", "little", "tiny", "mini"), "small"
)
# (kind, the other way round)
RELATIONS = {
    "to the left of": (LEFT, False), "left of": (LEFT, False), "on the left of": (LEFT, False),
    "to the right of": (LEFT, True), "right of": (LEFT, True), "on the right of": (LEFT, True),
    "above": (ABOVE, False), "over": (ABOVE, False), "under": (ABOVE, True), "below": (ABOVE, True),
    "beneath": (ABOVE, True), "underneath": (ABOVE, True),
    "on top of": (ON, False), "on": (ON, False), "upon": (ON, False), "sitting on": (ON, False),
    "standing on": (ON, False),
    "next to": (BESIDE, False), "beside": (BESIDE, False), "near": (BESIDE, False), "by": (BESIDE, False),
    "with": (BESIDE, False), "in front of": (BESIDE, False), "behind": (BESIDE, False), "holding": (BESIDE, False),
    "riding": (ON, False), "riding on": (ON, False), "wearing": (ABOVE, True),
    "between": (BETWEEN, False), "in between": (BETWEEN, False),
}  # fmt: skip
BACKGROUNDS = {
    "at night": "night", "in the night sky": "night", "in the night": "night", "under the stars": "night",
    "on the grass": "grass", "on grass": "grass", "on a meadow": "grass", "in a meadow": "grass",
    "on the meadow": "grass", "in the grass": "grass", "on a lawn": "grass",
}  # fmt: skip
STYLES = {
    "3d": "3d", "3d render": "3d", "3d rendered": "3d", "3d style": "3d",
    "flat": "flat", "flat design": "flat", "flat icon style": "flat", "flat style": "flat",
    "cartoon": "cartoon", "cartoon style": "cartoon", "glossy": "glossy", "shiny": "glossy",
    "simple": "simple", "simple emoji style": "simple", "clip art": "clip art",
}  # fmt: skip
# Said around a thing, and nothing to be drawn.
FILLERS = {
    "a", "an", "the", "of", "some", "my", "your", "our", "his", "her", "their", "this", "that", "please", "is", "are",
    "it", "there", "here", "picture", "photo", "image", "drawing", "illustration", "painting", "icon", "emoji",
    "sketch", "sticker", "draw", "paint", "show", "me", "give", "make", "create", "generate", "i", "want", "would",
    "like", "to", "see", "can", "you", "look", "at", "for", "very", "really", "so", "cute", "beautiful", "nice",
    "lovely", "pretty", "good", "great", "happy", "funny", "one's", "high", "quality", "detailed", "highly", "best",
    "masterpiece", "4k", "hd", "background", "style", "in", "front", "coloured", "colored",
    "flying", "sitting", "standing", "playing", "full", "wild", "fluffy", "old", "new", "young", "fresh", "adorable",
}  # fmt: skip
TABLES = (
    (BACKGROUNDS, tokens.BACKGROUND), (RELATIONS, tokens.RELATION), (STYLES, tokens.STYLE), (NUMBERS, tokens.NUMBER),
    (SIZES, tokens.SIZE), (COLOURS, tokens.COLOUR),
)  # fmt: skip
LONGEST = max(len(phrase.split()) for table, _ in TABLES for phrase in table)


def cut(text: str, vocabulary: Vocabulary) -> list[Token]:
    """The tokens of an English text."""
    said, found, place = WORD.findall(text.lower().replace("’", "'")), [], 0
    while place < len(said):
        token, length = one(said[place:], vocabulary)
        found.append(token)
        place += length
    return found


def one(said: list[str], vocabulary: Vocabulary) -> tuple[Token, int]:
    """The first token, and how many words it has: the longest of all that it could be, a thing where two are alike."""
    thing, phrase = vocabulary.english(said), known(said)
    if thing and not thing.sure and (phrase or said[0] in FILLERS or said[0].isdigit()):
        thing = None
    if (
        thing
        and (not phrase or thing.length >= phrase[1])
        and not only_says_how(said, thing.length, phrase, vocabulary)
    ):
        return Token(tokens.THING, " ".join(said[: thing.length]), thing.name, sure=thing.sure), thing.length
    if phrase:
        return phrase
    word = said[0]
    if word == "and" or word in ",.;:!?":
        return Token(tokens.AND if word == "and" else tokens.STOP, word), 1
    if word.isdigit() and 0 < int(word[:4]) < 1000 and len(word) < 4:
        return Token(tokens.NUMBER, word, word), 1
    return Token(tokens.FILLER if word in FILLERS else tokens.UNKNOWN, word), 1


def known(said: list[str]) -> tuple[Token, int] | None:
    """The longest phrase that the words begin with, of those that are not things."""
    if backed := background(said):
        return backed
    for length in range(min(LONGEST, len(said)), 0, -1):
        phrase = " ".join(said[:length])
        for table, kind in TABLES:
            if phrase in table:
                value = table[phrase]
                value, swapped = value if kind == tokens.RELATION else (str(value), False)
                return Token(kind, phrase, value, swapped), length
    return None


def background(said: list[str]) -> tuple[Token, int] | None:
    """ "on a blue background", "blue background", "with a light blue background"."""
    place = 0
    while place < min(5, len(said)) and said[place] in {"on", "with", "against", "in", "front", "of", "a", "an", "the"}:
        place += 1
    if said[place + 1 : place + 2] == ["background"] and said[place] in COLOURS:
        return Token(tokens.BACKGROUND, " ".join(said[: place + 2]), COLOURS[said[place]]), place + 2
    return None


def only_says_how(said: list[str], length: int, phrase: tuple[Token, int] | None, vocabulary: Vocabulary) -> bool:
    """Whether a word that names a thing ("orange") describes the next one here ("an orange cat")."""
    if length > 1 or not phrase or phrase[0].kind not in (tokens.COLOUR, tokens.STYLE, tokens.SIZE):
        return False
    following = [word for word in said[1:4] if word not in FILLERS]
    return bool(vocabulary.english(said[1:]) or (following and following[0] in COLOURS | SIZES | STYLES))
