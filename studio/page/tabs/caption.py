"""A picture becomes words: one at a time on the stage, or a whole folder as a batch."""

from __future__ import annotations

import gradio as gr

from pipelines.requests import CaptionRequest, CaptionStyle, bounds
from studio.page.builder import PageBuilder, root
from studio.page.forms import Form, asks, model_field, remember

NAME = "caption"
ADVANCED = ("candidates", "max_tokens", "beams", "temperature", "seed")
WORDING = ("prefix", "suffix", "forbidden")
BEHIND = dict.fromkeys(ADVANCED, "advanced") | dict.fromkeys(WORDING, "wording")


def build(room: PageBuilder) -> None:
    """The side panel (Gradio components) and the stage (a root for static/caption/stage.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-caption"):
        asked, run = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "caption-stage")
    asks(room, asked, run, "caption/form")
    remember(room, asked, "caption/form")


def form(room: PageBuilder) -> tuple[Form, gr.Button]:
    """The fields by their name in the request (and `mode`, `batch`), and the button."""
    form = Form("caption", behind=BEHIND)
    with gr.Column(elem_classes=["fields"]):
        _what(room, form)
        _how(room, form)
        _again(room, form)
        with gr.Accordion(room.label("caption.wording"), open=True, elem_classes=["fold"]) as form.folds["wording"]:
            _wording(room, form)
        with gr.Accordion(room.label("caption.advanced"), open=True, elem_classes=["fold"]) as form.folds["advanced"]:
            _advanced(room, form)
    with gr.Column(elem_classes=["foot"]):
        form.place("")
        with gr.Row(elem_classes=["go"]):
            run = gr.Button(room.label("caption.go"), variant="primary", elem_id="describe")
    return form, run


def _what(room: PageBuilder, form: Form) -> None:
    """One picture or many; the pictures themselves come over our own routes, the form holds their names."""
    modes = [(room.label(f"caption.mode.{name}"), name) for name in ("one", "many")]
    form.fields["mode"] = gr.Radio(
        modes, value="one", label=room.label("caption.mode"), show_label=False, elem_id="caption-mode",
        elem_classes=["choice"],
    )  # fmt: skip
    root(room, "caption-source")
    form.fields["picture"] = gr.Textbox("", visible="hidden", elem_id="caption-picture")
    form.place("picture")
    form.fields["batch"] = gr.Textbox("", visible="hidden", elem_id="caption-batch")
    form.place("batch")


def _how(room: PageBuilder, form: Form) -> None:
    model_field(room, form, "caption", "caption-model")
    styles = [(room.label(f"caption.style.{style}"), str(style)) for style in CaptionStyle]
    form.fields["style"] = gr.Radio(
        styles, value=str(CaptionStyle.SHORT), label=room.label("caption.style"), elem_id="caption-style",
        elem_classes=["choice"],
    )  # fmt: skip
    form.place("style")


def _again(room: PageBuilder, form: Form) -> None:
    """Shown for batches alone."""
    form.fields["again"] = gr.Checkbox(False, label=room.label("caption.again"), elem_id="caption-again")


def _wording(room: PageBuilder, form: Form) -> None:
    for name in WORDING:
        form.fields[name] = gr.Textbox(
            label=room.label(f"caption.{name}"), placeholder=room.label(f"caption.{name}.hint"), lines=1, max_lines=3,
            elem_id=f"caption-{name}",
        )  # fmt: skip
        form.place(name)


def _advanced(room: PageBuilder, form: Form) -> None:
    for name, step in (("candidates", 1), ("max_tokens", 1), ("beams", 1), ("temperature", 0.1)):
        limits = bounds(CaptionRequest, name)
        form.fields[name] = gr.Slider(
            limits["ge"], limits["le"], value=CaptionRequest.model_fields[name].default, step=step,
            label=room.label(f"caption.{name}"), info=room.label(f"caption.{name}.info"), elem_id=f"caption-{name}",
            buttons=[],
        )  # fmt: skip
        form.place(name)
    form.fields["seed"] = gr.Number(
        -1, label=room.label("seed"), info=room.label("seed.info"), precision=0, elem_id="caption-seed", min_width=100
    )
    form.place("seed")
