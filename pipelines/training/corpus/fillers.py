"""What people say around the thing that they want: "a picture of", "my", "cute", "please". It is not to be drawn.

Captions hardly bear these words, and a tower that has never met them takes "a picture of a dog" for a camera.
"""

import numpy as np

from pipelines.training.corpus.captions import NUMBERS
from pipelines.training.corpus.names import with_article

BEFORE = (
    "a picture of", "picture of", "a photo of", "photo of", "an image of", "image of", "a drawing of", "drawing of",
    "an illustration of", "a painting of", "an icon of", "an emoji of", "a sketch of", "a portrait of",
    "draw", "draw me", "please draw", "paint", "show me", "show", "give me", "make", "make me", "create", "generate",
    "i want", "i want to see", "i would like", "can you draw", "this is", "here is", "look at", "there is",
)  # fmt: skip
AFTER = (
    "please", "for me", "!", "!!!", ".", "?", ", please", ", icon", ", emoji", ", sticker", ", illustration",
    ", drawing",
    ", picture", ", digital art", ", vector art", ", high quality", ", best quality", ", detailed", ", highly detailed",
    ", masterpiece", ", 4k", ", hd", ", sharp", ", minimalist", ", on white background", ", on a white background",
    ", centered", ", isolated", "icon", "emoji", "sticker", "picture", "drawing",
)  # fmt: skip
WORDS = (
    "cute", "beautiful", "nice", "lovely", "pretty", "little", "small", "tiny", "big", "large", "huge", "good", "great",
    "happy", "funny", "friendly", "awesome", "amazing", "perfect", "single", "typical", "classic", "modern", "vintage",
    "fancy", "plain", "ordinary", "real", "realistic", "magical", "strange", "famous", "favourite", "favorite", "cheap",
    "expensive", "fast", "slow", "tall", "short", "round", "fat", "thin", "clean", "fresh", "tasty", "delicious",
    "adorable", "fluffy", "fantastic", "wonderful", "very nice", "really big", "so cute", "lonely", "proud", "brave",
    "quiet", "lazy", "wild", "rare",
)  # fmt: skip
WHOSE = ("my", "your", "our", "his", "her", "their", "this", "that", "one", "some")
FIRST = {word for english in NUMBERS.values() for word in english[:2]} | {"the"}


def adorned(text: str, word: str) -> str:
    """The caption with a word before what it names, behind its article or number."""
    first, _, rest = text.partition(" ")
    if rest and first in ("a", "an"):
        return with_article(f"{word} {rest}")
    return f"{first} {word} {rest}" if rest and first in FIRST else f"{word} {text}"


def owned(text: str, word: str) -> str:
    """The caption with "my" instead of an article."""
    first, _, rest = text.partition(" ")
    return f"{word} {rest}" if rest and first in ("a", "an", "the") else f"{word} {text}"


def dressed(draw: np.random.Generator, text: str) -> str:
    """An English caption as somebody might ask for it: one to three of these around it."""
    often = draw.random(4) < (0.5, 0.12, 0.35, 0.3)
    if often[0] or not often.any():
        text = adorned(text, str(draw.choice(WORDS)))
    if often[1]:
        text = owned(text, str(draw.choice(WHOSE)))
    if often[2]:
        text = f"{draw.choice(BEFORE)} {text}"
    if often[3]:
        after = str(draw.choice(AFTER))
        text += after if after[0] in ",.!?" else f" {after}"
    return text
