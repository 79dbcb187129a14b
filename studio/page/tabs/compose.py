"""Text and pictures become a picture: the composition at the side, the jobs on the stage."""

from __future__ import annotations

import gradio as gr

from studio.page.builder import PageBuilder, root
from studio.page.forms import QUIET, asks, in_browser, remember
from studio.page.tabs.compose_form import form
from studio.page.tabs.image import wire

NAME = "compose"


def build(room: PageBuilder) -> None:
    """The side panel (Gradio components and roots of our own) and the stage (a root for static/compose/stage.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-compose"):
        asked, buttons = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "compose-stage")
    asks(room, asked, buttons["run"], "compose/form")
    remember(room, asked, "compose/form")
    wire(room, asked, buttons, "compose/form")
    every = list(asked.fields.values())
    asked.fields["way"].input(None, every, every, js=in_browser(room, "compose/form", "way"), **QUIET)
    said = list(asked.errors.values())  # what one way lacked is no fault of another
    asked.fields["way"].input(None, None, said, js=f"() => Array({len(said)}).fill('')", **QUIET)
