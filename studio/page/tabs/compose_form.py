"""The form of the Compose tab: a way of working, its pictures, words and parts, and the fields of the Image tab."""

from __future__ import annotations

import json

import gradio as gr
from pydantic import BaseModel

from pipelines.requests import MAX_PARTS, MAX_PICTURES, Blend, ImageRequest, bounds
from studio.page.builder import PageBuilder, root
from studio.page.forms import Form, model_field
from studio.page.tabs import image
from studio.page.tabs.compose_modes import WAYS

AT = "compose-"
BEHIND = {"negative_prompt": "negative", "sampler": "advanced", "steps": "advanced", "guidance_scale": "advanced",
          "seed": "advanced", "early_stop": "advanced", "mask_blur": "edge", "mask_padding": "edge"}  # fmt: skip


def form(room: PageBuilder) -> tuple[Form, dict[str, gr.Button]]:
    """The fields by their name in the request (and those that `compose.request_of` makes more of), and the buttons."""
    form = Form("compose", behind=BEHIND)
    with gr.Column(elem_classes=["fields"]):
        _way(room, form)
        _picture(room, form)
        image.prompt(room, form, AT)
        root(room, "compose-reword")
        _blend(room, form)
        _parts(room, form)
        _weighing(room, form)
        _mask(room, form)
        model_field(room, form, "image", f"{AT}model")
        image.size(room, form, AT)
        dice, reuse = image.advanced(room, form, AT)
        image.negative(room, form, AT)
    with gr.Column(elem_classes=["foot"]):
        form.place("")
        with gr.Row(elem_classes=["go"]):
            run = gr.Button(room.label("generate"), variant="primary", elem_id="compose")
            root(room, "compose-cancel", '{"id": "cancel-composed"}')
    return form, {"run": run, "dice": dice, "reuse": reuse}


def _hidden(form: Form, name: str, value: str = "") -> None:
    """Filled by our own scripts: names of stored pictures, and JSON."""
    form.fields[name] = gr.Textbox(value, visible="hidden", elem_id=f"{AT}{name}")
    form.place(name)


def _slider(
    room: PageBuilder, form: Form, kind: type[BaseModel], name: str, step: float, value: float | None = None,
    info: bool = False, field: str = "",
) -> None:  # fmt: skip
    """A slider with the bounds of that field of `kind`. field: its name in the form, if it is another."""
    limits, key = bounds(kind, name), field or name
    form.fields[key] = gr.Slider(
        limits["ge"], limits["le"], value=kind.model_fields[name].default if value is None else value, step=step,
        label=room.label(f"compose.{key}"), info=room.label(f"compose.{key}.info") if info else None,
        elem_id=f"{AT}{key}", buttons=[],
    )  # fmt: skip


def _way(room: PageBuilder, form: Form) -> None:
    ways = [(room.label(f"compose.way.{name}"), name) for name in WAYS]
    form.fields["way"] = gr.Radio(
        ways, value="free", label=room.label("compose.way"), show_label=False, elem_id="compose-way"
    )
    root(room, "compose-hint")


def _picture(room: PageBuilder, form: Form) -> None:
    root(room, "compose-picture")
    root(room, "compose-margins")
    _hidden(form, "start_picture")
    _hidden(form, "mask")
    _hidden(form, "expand")


def _blend(room: PageBuilder, form: Form) -> None:
    with gr.Column(elem_id="compose-blend"):
        form.fields["blend_prompt"] = gr.Textbox(
            label=room.label("compose.blend_prompt"), placeholder=room.label("compose.blend_prompt.hint"), lines=2,
            max_lines=8, elem_id=f"{AT}blend_prompt",
        )  # fmt: skip
        root(room, "compose-other")
        _hidden(form, "blend_picture")
        _slider(room, form, Blend, "frames", 1, 5, info=True)
        _slider(room, form, Blend, "at", 0.05, info=True)
        form.fields["blend_seed"] = gr.Number(
            -1, label=room.label("compose.blend_seed"), info=room.label("compose.blend_seed.info"), precision=0,
            elem_id=f"{AT}blend_seed",
        )  # fmt: skip
        form.place("blend")


def _parts(room: PageBuilder, form: Form) -> None:
    root(room, "compose-list", json.dumps({"parts": MAX_PARTS, "pictures": MAX_PICTURES}))
    _hidden(form, "parts", "[]")


def _weighing(room: PageBuilder, form: Form) -> None:
    """Text against pictures, and how much of the start picture stays; each is shown where it does something."""
    with gr.Column(elem_id="compose-gate-room"):
        _slider(room, form, ImageRequest, "gate", 0.05)
        form.fields["auto_gate"] = gr.Checkbox(
            True, label=room.label("compose.auto_gate"), info=room.label("compose.auto_gate.info"),
            elem_id=f"{AT}auto_gate",
        )  # fmt: skip
        form.place("gate")
    image.strength(room, form, AT)
    _slider(room, form, ImageRequest, "image_guidance_scale", 0.1, info=True)
    form.place("image_guidance_scale")


def _mask(room: PageBuilder, form: Form) -> None:
    form.fields["only_masked"] = gr.Checkbox(
        False, label=room.label("compose.only_masked"), info=room.label("compose.only_masked.info"),
        elem_id=f"{AT}only_masked",
    )  # fmt: skip
    form.place("only_masked")
    with gr.Accordion(
        room.label("compose.edge"), open=True, elem_classes=["fold"], elem_id="compose-edge"
    ) as form.folds["edge"]:
        _slider(room, form, ImageRequest, "mask_blur", 1, info=True)
        form.place("mask_blur")
        _slider(room, form, ImageRequest, "mask_padding", 8, info=True)
        form.place("mask_padding")
