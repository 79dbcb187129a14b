"""A prompt becomes a picture: the form at the side, the jobs on the stage."""

from __future__ import annotations

import gradio as gr

from pipelines.requests import ImageRequest, Sampler, bounds
from studio.page.builder import PageBuilder, root
from studio.page.forms import QUIET, Form, asks, in_browser, model_field, remember

NAME = "image"
BEHIND = {"negative_prompt": "negative", "sampler": "advanced", "steps": "advanced", "guidance_scale": "advanced",
          "seed": "advanced", "early_stop": "advanced", "start_picture": "start", "strength": "start"}  # fmt: skip


def build(room: PageBuilder) -> None:
    """The side panel (Gradio components) and the stage (a root for static/image/stage.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-image"):
        asked, buttons = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "stage")
    asks(room, asked, buttons["run"], "image/form")
    remember(room, asked, "image/form")
    wire(room, asked, buttons, "image/form")


def wire(room: PageBuilder, form: Form, buttons: dict[str, gr.Button], module: str) -> None:
    """What one field does to others, in the browser alone. module: the file in static/ made by `imageForm`."""
    fields, every = form.fields, list(form.fields.values())
    fields["model"].input(None, every, every, js=in_browser(room, module, "model"), **QUIET)
    fields["size"].input(None, every, every, js=in_browser(room, module, "size"), **QUIET)
    buttons["dice"].click(None, None, fields["seed"], js="() => -1", **QUIET)
    seed = fields["seed"]
    buttons["reuse"].click(None, seed, seed, js=in_browser(room, module, "reuse"), **QUIET)


def form(room: PageBuilder) -> tuple[Form, dict[str, gr.Button]]:
    """The fields by their name in the request (and the size preset), and the buttons run, dice and reuse."""
    form = Form("image", behind=BEHIND)
    with gr.Column(elem_classes=["fields"]):
        root(room, "prompt-history")
        prompt(room, form)
        root(room, "sketch")
        negative(room, form)
        model_field(room, form, "image", "model")
        size(room, form)
        dice, reuse = advanced(room, form)
        with gr.Accordion(room.label("start"), open=True, elem_classes=["fold"]) as form.folds["start"]:
            _start(room, form)
    with gr.Column(elem_classes=["foot"]):
        form.place("")
        with gr.Row(elem_classes=["go"]):
            run = gr.Button(room.label("generate"), variant="primary", elem_id="generate")
            root(room, "cancel")
    return form, {"run": run, "dice": dice, "reuse": reuse}


def prompt(room: PageBuilder, form: Form, at: str = "") -> None:
    """at, here and below: what the elements' ids begin with, as the form of another tab has the same fields."""
    form.fields["prompt"] = gr.Textbox(
        label=room.label("prompt"), placeholder=room.label("prompt.hint"), lines=3, max_lines=12, elem_id=f"{at}prompt"
    )  # fmt: skip
    form.place("prompt")


def negative(room: PageBuilder, form: Form, at: str = "") -> None:
    with gr.Accordion(room.label("negative"), open=True, elem_classes=["fold"]) as form.folds["negative"]:
        form.fields["negative_prompt"] = gr.Textbox(
            label=room.label("negative"), show_label=False, placeholder=room.label("negative.hint"), lines=2,
            max_lines=8, elem_id=f"{at}negative_prompt",
        )  # fmt: skip
        form.place("negative_prompt")


def size(room: PageBuilder, form: Form, at: str = "") -> None:
    shapes = [(room.label(f"size.{name}"), name) for name in ("square", "landscape", "portrait", "free")]
    form.fields["size"] = gr.Radio(
        shapes, value="square", label=room.label("size"), elem_id=f"{at}size", elem_classes=["size-choice"]
    )
    with gr.Row(elem_classes=["pair", "free-size"]):
        for name in ("width", "height"):
            step = int(bounds(ImageRequest, name)["multiple_of"])
            form.fields[name] = gr.Number(
                256, label=room.label(name), precision=0, step=step, elem_id=f"{at}{name}", min_width=100
            )
    form.place("width")
    form.place("height")
    limits = bounds(ImageRequest, "count")
    form.fields["count"] = gr.Slider(
        limits["ge"], limits["le"], value=1, step=1, label=room.label("count"), elem_id=f"{at}count", buttons=[]
    )
    form.place("count")


def advanced(room: PageBuilder, form: Form, at: str = "") -> tuple[gr.Button, gr.Button]:
    """The fold, and its buttons dice and reuse."""
    with gr.Accordion(room.label("advanced"), open=True, elem_classes=["fold"]) as form.folds["advanced"]:
        return _advanced(room, form, at)


def _advanced(room: PageBuilder, form: Form, at: str) -> tuple[gr.Button, gr.Button]:
    form.fields["sampler"] = gr.Dropdown(
        [str(name) for name in Sampler],
        value=str(Sampler.DPMPP_2M),
        label=room.label("sampler"),
        elem_id=f"{at}sampler",
    )
    form.place("sampler")
    for name, label, step in (("steps", "steps", 1), ("guidance_scale", "guidance", 0.5)):
        limits = bounds(ImageRequest, name)
        info = room.label("guidance.info") if name == "guidance_scale" else None
        value = ImageRequest.model_fields[name].default
        form.fields[name] = gr.Slider(
            limits["ge"], limits["le"], value=value, step=step, label=room.label(label), info=info,
            elem_id=f"{at}{name}",
            buttons=[],
        )  # fmt: skip
        form.place(name)
    with gr.Row(elem_classes=["seed"]):
        form.fields["seed"] = gr.Number(
            -1, label=room.label("seed"), info=room.label("seed.info"), precision=0, elem_id=f"{at}seed",
            min_width=100,
        )  # fmt: skip
        dice = gr.Button(room.label("seed.dice"), size="sm", elem_id=f"{at}seed-dice", min_width=0)
        reuse = gr.Button(room.label("seed.reuse"), size="sm", elem_id=f"{at}seed-reuse", min_width=0)
    form.place("seed")
    form.fields["early_stop"] = gr.Checkbox(
        False, label=room.label("early_stop"), info=room.label("early_stop.info"), elem_id=f"{at}early_stop"
    )
    form.place("early_stop")
    return dice, reuse


def _start(room: PageBuilder, form: Form) -> None:
    root(room, "start")
    form.fields["start_picture"] = gr.Textbox("", visible="hidden", elem_id="start_picture")
    form.place("start_picture")
    strength(room, form)


def strength(room: PageBuilder, form: Form, at: str = "") -> None:
    form.fields["strength"] = gr.Slider(
        0.05, 1, value=ImageRequest.model_fields["strength"].default, step=0.05, label=room.label("strength"),
        info=room.label("strength.info"), elem_id=f"{at}strength", buttons=[],
    )  # fmt: skip
    form.place("strength")
