"""A text becomes sound: the form at the side, the recordings on the stage."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.requests import SpeechRequest, make
from studio.tabs.common import Room, root
from studio.tabs.forms import Missing, asks, in_browser, remember
from studio.tabs.speech_form import choices_of, form

NAME = "speech"


def build(room: Room) -> None:
    """The side panel (Gradio components) and the stage (a root for static/speech.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-speech"):
        asked, run = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "speech-stage")
    asks(room, asked, run, request_of)
    model, every = asked.fields["model"], list(asked.fields.values())
    remember(room, asked, "speech_form", fresh=(model, lambda: gr.Dropdown(choices=choices_of(room))))
    for name in ("model", "voice", "speed"):
        asked.fields[name].input(
            None, every, every, js=in_browser(room, "speech_form", "chosen"), show_progress="hidden"
        )


def request_of(values: dict[str, Any], room: Room, language: str) -> SpeechRequest:
    """The form's values as a request; raises InvalidRequest, or Missing for an empty text."""
    wanted = {name: value for name, value in values.items() if name in SpeechRequest.model_fields}
    if not (wanted["text"] or "").strip():
        raise Missing("text", room.words.say("error.text", language))
    wanted["voice"] = wanted.get("voice") or ""
    wanted["voice_sample"] = wanted.get("voice_sample") or None
    return make("speech", **wanted)
