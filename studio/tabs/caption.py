"""A picture becomes words: one at a time on the stage, or a whole folder as a batch."""

from __future__ import annotations

import gradio as gr

from studio.tabs.caption_form import form
from studio.tabs.common import Room, root
from studio.tabs.forms import asks, remember

NAME = "caption"


def build(room: Room) -> None:
    """The side panel (Gradio components) and the stage (a root for static/caption/stage.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-caption"):
        asked, run = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "caption-stage")
    asks(room, asked, run, "caption/form")
    remember(room, asked, "caption/form")
