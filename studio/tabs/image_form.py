"""The form of the Image tab: its fields, and a place under each for the sentence about it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from pipelines.requests import ImageRequest, Sampler, bounds
from studio.tabs.common import Room, root


def form(room: Room) -> tuple[dict, dict, dict]:
    """Fields by the name in the request (and the size preset), places for errors by field, buttons and folds."""
    fields: dict[str, Any] = {}
    errors: dict[str, gr.HTML] = {}
    folds: dict[str, gr.Accordion] = {}
    with gr.Column(elem_classes=["fields"]):
        _words(room, fields, errors, folds)
        _model(room, fields, errors)
        _size(room, fields, errors)
        with gr.Accordion(room.label("advanced"), open=False, elem_classes=["fold"]) as folds["advanced"]:
            dice, reuse = _advanced(room, fields, errors)
        with gr.Accordion(room.label("start"), open=False, elem_classes=["fold"]) as folds["start"]:
            _start(room, fields, errors)
    with gr.Column(elem_classes=["foot"]):
        errors[""] = _error("form")
        with gr.Row(elem_classes=["go"]):
            run = gr.Button(room.label("generate"), variant="primary", elem_id="generate")
            root(room, "cancel")
    return fields, errors, {"run": run, "dice": dice, "reuse": reuse, "folds": folds}


def _words(room: Room, fields: dict, errors: dict, folds: dict) -> None:
    fields["prompt"] = gr.Textbox(
        label=room.label("prompt"), placeholder=room.label("prompt.hint"), lines=3, max_lines=12, elem_id="prompt"
    )  # fmt: skip
    errors["prompt"] = _error("prompt")
    with gr.Accordion(room.label("negative"), open=False, elem_classes=["fold"]) as folds["negative"]:
        fields["negative_prompt"] = gr.Textbox(
            label=room.label("negative"), show_label=False, placeholder=room.label("negative.hint"), lines=2,
            max_lines=8, elem_id="negative_prompt",
        )  # fmt: skip
        errors["negative_prompt"] = _error("negative_prompt")


def _model(room: Room, fields: dict, errors: dict) -> None:
    choices = choices_of(room)
    fields["model"] = gr.Dropdown(
        choices, value=choices[0][1] if choices else None, label=room.label("model"), allow_custom_value=True,
        elem_id="model",
    )  # fmt: skip
    errors["model"] = _error("model")


def choices_of(room: Room) -> list[tuple[str, str]]:
    """The models that there are now, as name and id."""
    return [(entry.name, entry.id) for entry in room.catalog.entries()]


def _size(room: Room, fields: dict, errors: dict) -> None:
    shapes = [(room.label(f"size.{name}"), name) for name in ("square", "landscape", "portrait", "free")]
    fields["size"] = gr.Radio(shapes, value="square", label=room.label("size"), elem_id="size")
    with gr.Row(elem_id="free-size", elem_classes=["pair"]):
        for name in ("width", "height"):
            step = int(bounds(ImageRequest, name)["multiple_of"])
            fields[name] = gr.Number(256, label=room.label(name), precision=0, step=step, elem_id=name, min_width=100)
    errors["width"], errors["height"] = _error("width"), _error("height")
    limits = bounds(ImageRequest, "count")
    fields["count"] = gr.Slider(
        limits["ge"], limits["le"], value=1, step=1, label=room.label("count"), elem_id="count", buttons=[]
    )
    errors["count"] = _error("count")


def _advanced(room: Room, fields: dict, errors: dict) -> tuple[gr.Button, gr.Button]:
    fields["sampler"] = gr.Dropdown(
        [str(name) for name in Sampler], value=str(Sampler.DPMPP_2M), label=room.label("sampler"), elem_id="sampler"
    )
    errors["sampler"] = _error("sampler")
    for name, label, step in (("steps", "steps", 1), ("guidance_scale", "guidance", 0.5)):
        limits = bounds(ImageRequest, name)
        info = room.label("guidance.info") if name == "guidance_scale" else None
        value = ImageRequest.model_fields[name].default
        fields[name] = gr.Slider(
            limits["ge"], limits["le"], value=value, step=step, label=room.label(label), info=info, elem_id=name,
            buttons=[],
        )  # fmt: skip
        errors[name] = _error(name)
    with gr.Row(elem_classes=["seed"]):
        fields["seed"] = gr.Number(
            -1, label=room.label("seed"), info=room.label("seed.info"), precision=0, elem_id="seed", min_width=100
        )
        dice = gr.Button(room.label("seed.dice"), size="sm", elem_id="seed-dice", min_width=0)
        reuse = gr.Button(room.label("seed.reuse"), size="sm", elem_id="seed-reuse", min_width=0)
    errors["seed"] = _error("seed")
    return dice, reuse


def _start(room: Room, fields: dict, errors: dict) -> None:
    root(room, "start")
    fields["start_picture"] = gr.Textbox("", visible="hidden", elem_id="start_picture")
    errors["start_picture"] = _error("start_picture")
    fields["strength"] = gr.Slider(
        0.05, 1, value=ImageRequest.model_fields["strength"].default, step=0.05, label=room.label("strength"),
        info=room.label("strength.info"), elem_id="strength", buttons=[],
    )  # fmt: skip
    errors["strength"] = _error("strength")


def _error(name: str) -> gr.HTML:
    """The place for the sentence about one field; empty, it takes no room."""
    return gr.HTML("", elem_id=f"error-{name}", elem_classes=["error"], apply_default_css=False, js_on_load=None)
