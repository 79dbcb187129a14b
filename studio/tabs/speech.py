"""A text becomes sound: the form at the side, the recordings on the stage."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from studio.tabs.common import Room, root
from studio.tabs.forms import Form, in_browser, remember
from studio.tabs.models import models_of
from studio.tabs.speech_form import form

NAME = "speech"


def build(room: Room) -> None:
    """The side panel (Gradio components) and the stage (a root for static/speech.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-speech"):
        asked, run = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "speech-stage")
    model, every = asked.fields["model"], list(asked.fields.values())
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    run.click(None, every, list(asked.errors.values()), js=_speak(room, asked), trigger_mode="multiple", **quiet)
    remember(room, asked, "speech_form", fresh=(model, lambda: gr.Dropdown(choices=models_of(room, "speech"))))
    for name in ("model", "voice", "speed"):
        asked.fields[name].input(None, every, every, js=in_browser(room, "speech_form", "chosen"), **quiet)


def _speak(room: Room, form: Form) -> str:
    """Straight from the browser to the studio's own route: Gradio's way takes as long as the first sentence."""
    module, places = json.dumps(f"{room.base}/js/speech_form.js"), json.dumps(list(form.errors))
    return f"async (...values) => (await import({module})).speak({places}, ...values)"
