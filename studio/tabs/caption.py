"""A picture becomes words: one at a time on the stage, or a whole folder as a batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from pipelines.requests import CaptionRequest, make
from studio.batches import ANY_PICTURE
from studio.tabs.caption_form import form
from studio.tabs.common import Room, root
from studio.tabs.forms import Missing, asks, remember
from studio.tabs.models import models_of

NAME = "caption"


@dataclass(frozen=True, slots=True)
class Run:
    """A batch is to be described with these settings; again: also what has a caption."""

    batch: str
    request: CaptionRequest
    again: bool


@dataclass(frozen=True, slots=True)
class Counter:
    """Takes what the form asks for to where it belongs: pictures to the engine, batches to the batches."""

    engine: Any
    batches: Any

    def submit(self, owner: str, asked: CaptionRequest | Run) -> None:
        if isinstance(asked, Run):
            self.batches.run(owner, asked.batch, asked.request, asked.again)
        else:
            self.engine.submit(owner, asked)


def build(room: Room) -> None:
    """The side panel (Gradio components) and the stage (a root for static/caption.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-caption"):
        asked, run = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "caption-stage")
    asks(replace(room, engine=Counter(room.engine, room.batches)), asked, run, request_of)
    model = asked.fields["model"]
    remember(room, asked, "caption_form", fresh=(model, lambda: gr.Dropdown(choices=models_of(room, "caption"))))


def request_of(values: dict[str, Any], room: Room, language: str) -> CaptionRequest | Run:
    """The form's values as a request; raises InvalidRequest, or Missing where there is no picture yet."""
    many = values.get("mode") == "many"
    needed = "batch" if many else "picture"
    if not values[needed]:
        raise Missing(needed, room.words.say(f"error.{needed}", language))
    wanted = {name: value for name, value in values.items() if name in CaptionRequest.model_fields}
    for name in ("prefix", "suffix", "forbidden"):
        wanted[name] = wanted.get(name) or ""  # a field in a closed fold has no value yet
    wanted["seed"] = -1 if wanted.get("seed") is None else wanted["seed"]
    if not many:
        return make("caption", **{**wanted, "batch": ""})
    return Run(values["batch"], make("caption", **{**wanted, "picture": ANY_PICTURE}), bool(values.get("again")))
