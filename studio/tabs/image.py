"""A prompt becomes a picture: the form at the side, the jobs on the stage."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.requests import ImageRequest, make
from studio.tabs.common import Room, root
from studio.tabs.forms import Form, Missing, asks, in_browser, remember
from studio.tabs.image_form import form
from studio.tabs.models import models_of

NAME = "image"


def build(room: Room) -> None:
    """The side panel (Gradio components) and the stage (a root for static/image.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-image"):
        asked, buttons = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "stage")
    asks(room, asked, buttons["run"], request_of)
    model = asked.fields["model"]
    remember(room, asked, "image_form", fresh=(model, lambda: gr.Dropdown(choices=models_of(room, "image"))))
    wire(room, asked, buttons, "image_form")


def wire(room: Room, form: Form, buttons: dict[str, gr.Button], module: str) -> None:
    """What one field does to others, in the browser alone. module: the file in static/ made by `imageForm`."""
    fields, every = form.fields, list(form.fields.values())
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    fields["model"].input(None, every, every, js=in_browser(room, module, "model"), **quiet)
    fields["size"].input(None, every, every, js=in_browser(room, module, "size"), **quiet)
    buttons["dice"].click(None, None, fields["seed"], js="() => -1", **quiet)
    seed = fields["seed"]
    buttons["reuse"].click(None, seed, seed, js=in_browser(room, module, "reuse"), **quiet)


def request_of(values: dict[str, Any], room: Room, language: str) -> ImageRequest:
    """The form's values as a request; raises InvalidRequest, or Missing for an empty prompt."""
    if not (values["prompt"] or "").strip():
        raise Missing("prompt", room.words.say("error.prompt", language))
    return make("image", **plain(values))


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """What the form says of the request's own fields; a field in a closed fold has no value yet."""
    wanted = {name: value for name, value in values.items() if name in ImageRequest.model_fields}
    wanted["negative_prompt"] = wanted["negative_prompt"] or ""
    wanted["start_picture"] = wanted.get("start_picture") or None
    wanted["early_stop"] = bool(wanted.get("early_stop"))
    wanted["seed"] = -1 if wanted["seed"] is None else wanted["seed"]
    return wanted
