"""A prompt becomes a picture: the form at the side, the jobs on the stage."""

from __future__ import annotations

import gradio as gr

from studio.tabs.common import Room, root
from studio.tabs.forms import QUIET, Form, asks, in_browser, remember
from studio.tabs.image_form import form

NAME = "image"


def build(room: Room) -> None:
    """The side panel (Gradio components) and the stage (a root for static/image/stage.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-image"):
        asked, buttons = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "stage")
    asks(room, asked, buttons["run"], "image/form")
    remember(room, asked, "image/form")
    wire(room, asked, buttons, "image/form")


def wire(room: Room, form: Form, buttons: dict[str, gr.Button], module: str) -> None:
    """What one field does to others, in the browser alone. module: the file in static/ made by `imageForm`."""
    fields, every = form.fields, list(form.fields.values())
    fields["model"].input(None, every, every, js=in_browser(room, module, "model"), **QUIET)
    fields["size"].input(None, every, every, js=in_browser(room, module, "size"), **QUIET)
    buttons["dice"].click(None, None, fields["seed"], js="() => -1", **QUIET)
    seed = fields["seed"]
    buttons["reuse"].click(None, seed, seed, js=in_browser(room, module, "reuse"), **QUIET)
