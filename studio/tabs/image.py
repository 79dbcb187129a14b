"""A prompt becomes a picture: the form at the side, the jobs on the stage."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import gradio as gr

from pipelines.errors import TriptychError
from pipelines.requests import ImageRequest, Sampler, bounds, make
from studio.auth import owner_of
from studio.tabs.common import Room, language_of, root
from studio.tabs.sentences import LABELS, field_of, sentence

NAME = "image"
ADVANCED = {"sampler", "steps", "guidance_scale", "seed"}


def build(room: Room) -> None:
    """The side panel (Gradio components) and the stage (a root for static/stage.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-image"):
        fields, errors, buttons = _form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "stage")
    _wire(room, fields, errors, buttons)


def _form(room: Room) -> tuple[dict, dict, dict]:
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
    choices = _choices(room)
    fields["model"] = gr.Dropdown(
        choices, value=choices[0][1] if choices else None, label=room.label("model"), allow_custom_value=True,
        elem_id="model",
    )  # fmt: skip
    errors["model"] = _error("model")


def _choices(room: Room) -> list[tuple[str, str]]:
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


def _wire(room: Room, fields: dict, errors: dict, buttons: dict) -> None:
    folds, every = buttons["folds"], list(fields.values())
    buttons["run"].click(
        _submitter(room, list(errors), list(folds)),
        inputs_kwargs=fields,
        outputs=[*errors.values(), *folds.values()],
        preprocess=False,  # its checks speak through toasts; ours stand under the field
        trigger_mode="multiple",  # several clicks are several pictures
        **_QUIET,
    )
    kept = gr.BrowserState({}, storage_key="triptych.image", secret="triptych")
    wish = gr.HTML("", js_on_load=_wish(list(fields)), elem_id="wish", apply_default_css=False)
    gr.on([field.change for field in every], None, every, kept, js=_js(room, "keep"), show_progress="hidden")
    wish.submit(None, [wish, *every], every, js=_js(room, "fill"), show_progress="hidden")
    fields["model"].input(None, every, every, js=_js(room, "model"), show_progress="hidden")
    fields["size"].input(None, every, every, js=_js(room, "size"), show_progress="hidden")
    buttons["dice"].click(None, None, fields["seed"], js="() => -1", show_progress="hidden")
    seed = fields["seed"]
    buttons["reuse"].click(None, seed, seed, js=_js(room, "reuse"), show_progress="hidden")
    _on_load(room, fields["model"], [kept, *every], every)


def _js(room: Room, name: str) -> str:
    """What happens to the form in the browser alone is a function of static/form.js: values in, values out."""
    return f'async (...values) => (await import("{room.base}/js/form.js")).{name}(...values)'


_QUIET: dict[str, Any] = {
    "queue": False,  # the only queue is ours
    "concurrency_limit": None,
    "show_progress": "hidden",
    "api_visibility": "private",
}


def _wish(names: list[str]) -> str:
    """Our scripts ask for values of the form through an event; this hands them to Gradio as this element's value."""
    return (
        f"window.triptychFields = {json.dumps(names)};"
        "window.addEventListener('triptych:fill', (event) => {"
        " props.value = JSON.stringify(event.detail); trigger('submit'); });"
    )


def _on_load(room: Room, model: gr.Dropdown, inputs: list, outputs: list) -> None:
    """Fresh model list at every load of the page, then the settings that this browser has kept."""
    fresh = gr.on(None, lambda: gr.Dropdown(choices=_choices(room)), None, model, **_QUIET)
    fresh.then(None, inputs, outputs, js=_js(room, "restore"), show_progress="hidden")


def _submitter(room: Room, places: list[str], folds: list[str]):
    def submit(request: gr.Request, **values: Any) -> list:
        """Into the engine's queue, or the sentence to its field; the picture arrives over the live connection."""
        language = language_of(request)
        try:
            room.engine.submit(owner_of(request), request_of(values, room, language))
        except _Missing as error:
            return _answer("prompt", str(error), places, folds)
        except TriptychError as error:
            return _answer(field_of(error), sentence(error, room.words, language), places, folds)
        return _answer("", "", places, folds)

    return submit


class _Missing(Exception):
    """The form wants something that the request itself would not."""


def request_of(values: dict[str, Any], room: Room, language: str) -> ImageRequest:
    """The form's values as a request; raises InvalidRequest, or _Missing for an empty prompt."""
    wanted = {name: values[name] for name in LABELS if name in values}
    if not (wanted["prompt"] or "").strip():
        raise _Missing(room.words.say("error.prompt", language))
    wanted["negative_prompt"] = wanted["negative_prompt"] or ""  # a field in a closed fold has no value yet
    wanted["start_picture"] = wanted.get("start_picture") or None
    wanted["seed"] = -1 if wanted["seed"] is None else wanted["seed"]
    return make("image", **wanted)


def _answer(field: str, text: str, places: list[str], folds: list[str]) -> list:
    """One value for each error place (the sentence at its own), and the fold that hides the field opened."""
    said = [f'<p role="alert">{escape(text)}</p>' if place == field and text else "" for place in places]
    hidden = {"negative_prompt": "negative", "start_picture": "start", "strength": "start"}
    fold = "advanced" if field in ADVANCED else hidden.get(field)
    return said + [gr.update(open=True) if name == fold and text else gr.skip() for name in folds]
