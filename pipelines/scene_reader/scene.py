"""A prompt's scene as plain values, and what was understood of it in words."""

from __future__ import annotations

from dataclasses import dataclass

# Where the first is, seen from the second; "between": the first between the other two.
LEFT, ABOVE, ON, BESIDE, BETWEEN = "left", "above", "on", "beside", "between"


@dataclass(frozen=True, slots=True)
class Item:
    """So many (1 or more) of one thing. name: the vocabulary's; said: the prompt's words for it. colour: an English
    word. size: "big", "small" or None. likeness: 0 to 1 where it stands for something unknown, else None."""

    name: str
    said: str
    count: int = 1
    colour: str | None = None
    size: str | None = None
    likeness: float | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """kind: one of the above. items: places in the scene's items, two of them; three for "between"."""

    kind: str
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """background: "night", "grass", a colour or None, as the model likes. style: a style's name or None. unknown: the
    words that nothing was found for, in the prompt's order."""

    items: tuple[Item, ...] = ()
    relations: tuple[Relation, ...] = ()
    background: str | None = None
    style: str | None = None
    unknown: tuple[str, ...] = ()

    def notes(self) -> list[str]:
        """Sentences for a person: what stands for what, and what was not understood."""
        told = [
            f"No “{item.said}” is known: {item.name} stands for it." for item in self.items if item.likeness is not None
        ]
        if self.unknown:
            told.append(f"Not understood, and left to the words alone: {', '.join(self.unknown)}.")
        if not self.items:
            told.append("No known thing is named.")
        return told
