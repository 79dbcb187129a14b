"""The pieces that a prompt is cut into, in either language, before anything is made of them."""

from __future__ import annotations

from dataclasses import dataclass

THING, NUMBER, COLOUR, SIZE = "thing", "number", "colour", "size"
RELATION, POSTFIX, MARK = "relation", "postfix", "mark"
AND, STOP, BACKGROUND, STYLE, FILLER, UNKNOWN = "and", "stop", "background", "style", "filler", "unknown"


@dataclass(frozen=True, slots=True)
class Token:
    """kind: one of the above. said: the prompt's words. value: the thing's name, the number, the colour's English
    word and so on. swapped: a relation that is the other way round ("right of", "under"). sure: a thing by its name,
    not only by a keyword.

    RELATION stands between what it relates, POSTFIX behind it ("A在B的左边"), MARK before the second (在).
    """

    kind: str
    said: str
    value: str = ""
    swapped: bool = False
    sure: bool = True
