"""What the alignment recognises in a picture, where a captioner says too little of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pipelines.caption import vocabulary
from pipelines.caption.checking import segments, wording
from pipelines.caption.state import CaptionState
from pipelines.requests import CaptionRequest, CaptionStyle

if TYPE_CHECKING:
    from PIL.Image import Image

    from pipelines.alignment.model import Alignment
    from pipelines.caption.models.base import Family

_NUMBERS = {2: "two", 3: "three", 4: "four"}
INSTEAD = {
    CaptionStyle.DETAILED: "{} writes short captions only: what the alignment model recognises was added.",
    CaptionStyle.TAGS: "{} writes sentences only: the tags are its phrases and what the alignment model recognises.",
    CaptionStyle.PROMPT: "{} writes sentences only: medium and details are what the alignment model recognises.",
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """labels: of things, likeliest first. names: captions of their own ("an apple"), beside what was written.
    several: a name for each of the things that lie apart, as one caption ("two cats and a tree"); empty where they do
    not. parts: (P, D), the vectors of those things."""

    labels: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    several: str = ""
    medium: str = ""
    parts: Sequence[np.ndarray] = field(default=(), compare=False)


def recognised(
    family: Family, states: Sequence[CaptionState], alignment: Alignment, seen: np.ndarray
) -> list[Recognised]:
    """For each state; looked for only where it is used. seen: (N, D), the pictures' vectors."""
    found = [Recognised()] * len(states)
    wanting = [i for i, state in enumerate(states) if made_up(family, state.request) or named(family, state.request)]
    if wanting:
        words = family.things.said or vocabulary.THINGS
        templates = ("{}",) if family.things else vocabulary.TEMPLATES
        things = alignment.labelled(seen[wanting], family.things.sought or words, templates)
        mediums = alignment.labelled(seen[wanting], vocabulary.MEDIUMS, ("{}",))
        for i, shares, medium in zip(wanting, things, mediums, strict=True):
            names = _first(words, shares, states[i].request.candidates) if named(family, states[i].request) else ()
            labels = tuple(dict.fromkeys(map(wording.bare, _likely(words, shares))))
            found[i] = Recognised(labels, names, medium=vocabulary.MEDIUMS[int(medium.argmax())])
        _several(family, states, alignment, found)
    return found


def _several(family: Family, states: Sequence[CaptionState], alignment: Alignment, found: list[Recognised]) -> None:
    """Where things lie apart in a picture, each is named, "a cat and a tree": a name of one of them says too little."""
    cut = {i: segments.things(state.picture) for i, state in enumerate(states) if named(family, state.request)}
    cut = {i: parts for i, parts in cut.items() if parts}
    if not cut:
        return
    told = iter(_called(family, alignment, [part for parts in cut.values() for part in parts]))
    for i, parts in cut.items():
        each, seen = zip(*(next(told) for _ in parts), strict=True)
        if several := counted(family.things, each):
            found[i] = replace(found[i], names=(), several=several, parts=seen)


def counted(things: vocabulary.Names, each: Sequence[int]) -> str:
    """ "two cats and a tree"; empty where there is one name for all and nothing to say of several."""
    often = {thing: each.count(thing) for thing in dict.fromkeys(each)}
    names = [
        f"{_NUMBERS[number]} {many}" if number > 1 and (many := things.several[thing]) else things.said[thing]
        for thing, number in often.items()
    ]
    return wording.listed(names) if len(names) > 1 or names[0] != things.said[each[0]] else ""


def _called(family: Family, alignment: Alignment, parts: Sequence[Image]) -> list[tuple[int, np.ndarray]]:
    """Number and vector of each thing, looked at with more and with less around it: three looks err less."""
    looks = alignment.embed_images([look for part in parts for look in segments.framed(part)])
    seen = looks.reshape(len(parts), -1, looks.shape[-1]).mean(1)
    seen /= np.linalg.norm(seen, axis=-1, keepdims=True)
    shares = alignment.labelled(seen, family.things.sought, ("{}",))
    return list(zip(shares.argmax(-1).tolist(), seen, strict=True))


def made_up(family: Family, request: CaptionRequest) -> bool:
    """Whether the captioner cannot write that style."""
    return not request.question.strip() and request.style not in family.entry.styles and request.style in INSTEAD


def named(family: Family, request: CaptionRequest) -> bool:
    """Whether names that the captioner brings along compete with what it wrote: the check says which fits best."""
    return bool(family.things) and request.verify and not request.question.strip()


def _first(words: Sequence[str], shares: np.ndarray, number: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words[i] for i in np.argsort(-shares, kind="stable")[:number]))


def _likely(words: Sequence[str], shares: np.ndarray) -> tuple[str, ...]:
    least = max(vocabulary.SHARE * float(shares.max()), vocabulary.TIMES_CHANCE * float(shares.mean()))
    order = np.argsort(-shares, kind="stable")[: vocabulary.MOST]
    return tuple(words[i] for i in order if shares[i] >= least)
