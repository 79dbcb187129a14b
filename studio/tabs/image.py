"""A prompt becomes a picture: the form at the side, the jobs on the stage."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import gradio as gr

from pipelines.errors import TriptychError
from pipelines.requests import ImageRequest, make
from studio.auth import owner_of
from studio.tabs.common import Room, language_of, root
from studio.tabs.image_form import choices_of, form
from studio.tabs.sentences import LABELS, field_of, sentence

NAME = "image"
ADVANCED = {"sampler", "steps", "guidance_scale", "seed"}


def build(room: Room) -> None:
    """The side panel (Gradio components) and the stage (a root for static/stage.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-image"):
        fields, errors, buttons = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "stage")
    _wire(room, fields, errors, buttons)


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
    fresh = gr.on(None, lambda: gr.Dropdown(choices=choices_of(room)), None, model, **_QUIET)
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
