"""A text becomes sound: the form at the side, the recordings on the stage."""

from __future__ import annotations

import gradio as gr

from studio.tabs.common import Room, root
from studio.tabs.forms import QUIET, asks, in_browser, remember
from studio.tabs.speech_form import form

NAME = "speech"


def build(room: Room) -> None:
    """The side panel (Gradio components) and the stage (a root for static/speech/stage.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-speech"):
        asked, run = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "speech-stage")
    asks(room, asked, run, "speech/form")
    remember(room, asked, "speech/form")
    every = list(asked.fields.values())
    for name in ("model", "voice", "speed"):
        asked.fields[name].input(None, every, every, js=in_browser(room, "speech/form", "chosen"), **QUIET)
