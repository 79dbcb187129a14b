"""The field of every form that chooses a model."""

from __future__ import annotations

import gradio as gr

from studio.tabs.common import Room
from studio.tabs.forms import Form


def models_of(room: Room, task: str) -> list[tuple[str, str]]:
    """The models for that kind of request, those that there are now, as name and id."""
    return [(entry.name, entry.id) for entry in room.catalog.entries(task)]


def model_field(room: Room, form: Form, task: str, elem_id: str, label: str = "model") -> None:
    """The first is chosen; a Hugging Face id may be typed."""
    choices = models_of(room, task)
    form.fields["model"] = gr.Dropdown(
        choices, value=choices[0][1] if choices else None, label=room.label(label), allow_custom_value=True,
        elem_id=elem_id,
    )  # fmt: skip
    form.place("model")
