"""The ways of working of the Compose tab: presets of one form. `static/image/modes.json` says which has what."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from studio.page.i18n import STATIC


@dataclass(frozen=True, slots=True)
class Way:
    """picture: works on one; likeness: that is also shown to the model, where it can see; mask: where it may change,
    "may" or "must" be painted; margins: it grows; parts: the list of parts, "open" or in a "fold"; slot: the role of a
    picture that belongs to it; blend: there is another end. fresh: values that the form takes when this way is chosen.
    """

    picture: bool = False
    likeness: bool = False
    mask: str = ""
    margins: bool = False
    parts: str = ""
    slot: str = ""
    blend: bool = False
    fresh: dict = field(default_factory=dict)


WAYS = {
    name: Way(**said)
    for name, said in json.loads((STATIC / "image" / "modes.json").read_text(encoding="utf-8")).items()
}
