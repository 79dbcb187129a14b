"""Text and pictures become a picture: the composition at the side, the jobs on the stage."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from pipelines.errors import InvalidRequest
from pipelines.requests import ImageRequest, Role, make
from studio.tabs.common import Room, root
from studio.tabs.compose_form import form
from studio.tabs.compose_ways import WAYS, Way
from studio.tabs.forms import Missing, asks, in_browser, remember
from studio.tabs.image import plain, wire
from studio.tabs.models import models_of

NAME = "compose"
PART = ("role", "text", "picture", "weight")  # what a card of the page keeps beside these is its own


def build(room: Room) -> None:
    """The side panel (Gradio components and roots of our own) and the stage (a root for static/compose.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-compose"):
        asked, buttons = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "compose-stage")
    asks(room, asked, buttons["run"], request_of, js=in_browser(room, "compose_form", "asked"))
    model = asked.fields["model"]
    remember(room, asked, "compose_form", fresh=(model, lambda: gr.Dropdown(choices=models_of(room, "image"))))
    wire(room, asked, buttons, "compose_form")
    every, quiet = list(asked.fields.values()), {"show_progress": "hidden"}
    asked.fields["way"].input(None, every, every, js=in_browser(room, "compose_form", "way"), **quiet)
    said = list(asked.errors.values())  # what one way lacked is no fault of another
    asked.fields["way"].input(None, None, said, js=f"() => Array({len(said)}).fill('')", **quiet)


def request_of(values: dict[str, Any], room: Room, language: str) -> ImageRequest:
    """The form's values as a request; raises InvalidRequest, or Missing where the way needs more than there is.

    What the chosen way does not show is not asked for.
    """
    name = values.get("way") or "free"
    way = WAYS.get(name, Way())
    fields = plain(values) | {"start_picture": None, "mask": None, "blend": None}
    fields |= {"parts": _parts(values, way) + _likeness(values, way, room), "expand": _expand(values, way)}
    if name == "free" and not fields["parts"] and (fields["prompt"] or "").strip():
        # words alone are a part as well: what is made here must be seen here, and the page goes by the parts
        fields |= {"parts": [{"role": Role.WHAT, "text": fields["prompt"]}], "prompt": ""}
    if way.mask:
        fields["mask"] = values.get("mask") or None
    if way.blend:
        fields["blend"] = _blend(values)
    fields["only_masked"] = bool(fields["mask"] and values.get("only_masked"))
    fields["count"] = 1 if way.blend else fields["count"]  # its frames are the count
    fields["auto_gate"] = bool(values.get("auto_gate") and any(_shown(part) for part in fields["parts"]))
    missing = _missing(name, way, fields)
    if missing:
        raise Missing(missing, room.words.say(f"error.compose.{name}.{missing}", language))
    return make("image", **{key: value for key, value in fields.items() if value is not None})


def _missing(name: str, way: Way, fields: dict[str, Any]) -> str:
    """The first field without which this way of working is none; "" where all is there."""
    parts, roles = fields["parts"], {part.get("role") for part in fields["parts"] if part.get("picture")}
    needs = {
        "start_picture": way.picture and Role.WHERE not in roles,
        "mask": way.mask == "must" and not fields["mask"],
        "expand": way.margins and not any(fields["expand"].values()),
        "prompt": name == "words" and not (fields["prompt"] or "").strip(),
        "parts": (name == "free" and not parts) or (name == "restyle" and Role.HOW not in roles),
        "blend": way.blend and not fields["blend"],
    }
    return next((field for field, missing in needs.items() if missing), "")


def _parts(values: dict[str, Any], way: Way) -> list[dict]:
    """Those of the list, and the picture that is worked on as the one that says where."""
    parts = [_part(card) for card in _json(values, "parts", list)] if way.parts else []
    if way.picture and values.get("start_picture"):
        parts.append({"role": "where", "picture": values["start_picture"]})
    return parts


def _likeness(values: dict[str, Any], way: Way, room: Room) -> list[dict]:
    """The picture once more, as content: a variation may then go far from its layout. Raises UnknownModel."""
    picture = values.get("start_picture")
    if not (way.likeness and picture):
        return []
    adapter = getattr(room.catalog.find(values["model"]), "adapter", None)
    return [{"role": "what", "picture": picture}] if adapter and not adapter.fault else []


def _part(card: object) -> dict:
    if not isinstance(card, dict):
        raise InvalidRequest("parts", card, "objects with " + ", ".join(PART))
    return {key: card[key] for key in PART if card.get(key) not in (None, "")}


def _shown(part: dict) -> bool:
    """Whether the model is shown that picture: then there is something to weigh against the text."""
    return "picture" in part and part.get("role") != Role.WHERE


def _expand(values: dict[str, Any], way: Way) -> dict:
    return _json(values, "expand", dict) if way.margins else {}


def _blend(values: dict[str, Any]) -> dict | None:
    """None where the other end would be the same."""
    seed = -1 if values.get("blend_seed") is None else values["blend_seed"]
    prompt, picture = values.get("blend_prompt") or "", values.get("blend_picture") or None
    if not prompt.strip() and not picture and seed == -1:
        return None
    return {"prompt": prompt, "picture": picture, "seed": seed} | {"at": values["at"], "frames": values["frames"]}


def _json(values: dict[str, Any], name: str, kind: type) -> Any:
    """What our own scripts have written into a hidden field."""
    try:
        found = json.loads(values.get(name) or "null")
    except ValueError as error:
        raise InvalidRequest(name, values[name], "JSON") from error
    return found if isinstance(found, kind) else kind()
