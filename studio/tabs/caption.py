"""A picture becomes words: one at a time on the stage, or a whole folder as a batch."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.requests import CaptionRequest, make
from studio.tabs.caption_form import choices_of, form
from studio.tabs.common import Room, root
from studio.tabs.forms import Missing, asks, remember

NAME = "caption"


def build(room: Room) -> None:
    """The side panel (Gradio components) and the stage (a root for static/caption.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-caption"):
        asked, run = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "caption-stage")
    asks(room, asked, run, request_of)
    model = asked.fields["model"]
    remember(room, asked, "caption_form", fresh=(model, lambda: gr.Dropdown(choices=choices_of(room))))


def request_of(values: dict[str, Any], room: Room, language: str) -> CaptionRequest:
    """The form's values as a request; raises InvalidRequest, or Missing where there is no picture yet."""
    wanted = {name: value for name, value in values.items() if name in CaptionRequest.model_fields}
    if not wanted["picture"]:
        raise Missing("picture", room.words.say("error.picture", language))
    for name in ("prefix", "suffix", "forbidden"):
        wanted[name] = wanted.get(name) or ""  # a field in a closed fold has no value yet
    wanted["seed"] = -1 if wanted.get("seed") is None else wanted["seed"]
    return make("caption", **wanted)
