"""What the forms of all tabs do alike: ask the engine, say an error at its field, remember values in the browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr

from pipelines.errors import TriptychError
from studio.auth import owner_of
from studio.tabs.common import Room, language_of
from studio.tabs.sentences import field_of, sentence

QUIET: dict[str, Any] = {
    "queue": False,  # the only queue is ours
    "concurrency_limit": None,
    "show_progress": "hidden",
    "api_visibility": "private",
}


class Missing(Exception):
    """The form wants something that the request itself would not: the field, and the sentence to show under it."""

    def __init__(self, field: str, text: str):
        self.field, self.text = field, text
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Form:
    """fields: components by their name; errors: places for sentences by field, "" for the form as a whole;
    folds: accordions by name; behind: which field is in which fold, so that an error opens it."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, gr.HTML] = field(default_factory=dict)
    folds: dict[str, gr.Accordion] = field(default_factory=dict)
    behind: dict[str, str] = field(default_factory=dict)

    def place(self, name: str) -> None:
        """Here, under its field, the sentence about it will stand; empty, it takes no room."""
        self.errors[name] = gr.HTML(
            "", elem_id=f"error-{self.name}-{name or 'form'}", elem_classes=["error"], apply_default_css=False,
            js_on_load=None,
        )  # fmt: skip


def asks(
    room: Room, form: Form, run: gr.Button, request_of: Callable[[dict[str, Any], Room, str], Any],
    js: str | None = None,
) -> None:  # fmt: skip
    """A click hands `request_of(values, room, language)` to the engine; it may raise Missing or a TriptychError.

    What comes of it arrives over the live connection. js: what the browser does with the values before (`in_browser`).
    """

    def submit(request: gr.Request, **values: Any) -> list:
        language = language_of(request)
        try:
            room.engine.submit(owner_of(request), request_of(values, room, language))
        except Missing as error:
            return _answer(form, error.field, error.text)
        except TriptychError as error:
            return _answer(form, field_of(error, form.errors), sentence(error, room.words, language))
        return _answer(form, "", "")

    run.click(
        submit,
        inputs_kwargs=form.fields,
        outputs=[*form.errors.values(), *form.folds.values()],
        preprocess=False,  # its checks speak through toasts; ours stand under the field
        trigger_mode="multiple",  # several clicks are several jobs
        js=js,
        **QUIET,
    )


def _answer(form: Form, name: str, text: str) -> list:
    """One value for each error place (the sentence at its own), and the fold that hides the field opened."""
    said = [f'<p role="alert">{escape(text)}</p>' if place == name and text else "" for place in form.errors]
    fold = form.behind.get(name)
    return said + [gr.update(open=True) if name == fold and text else gr.skip() for name in form.folds]


def in_browser(room: Room, module: str, name: str) -> str:
    """A function of `static/<module>.js` as Gradio's `js=`: values of the inputs in, a list of output values out."""
    return f'async (...values) => (await import("{room.base}/js/{module}.js")).{name}(...values)'


def remember(
    room: Room, form: Form, module: str, fresh: tuple[gr.components.Component, Callable[[], Any]] | None = None
) -> None:
    """The browser keeps the values over a reload, and other parts of the page may fill them (`fill` of actions.js).

    module: the file in static/ that exports `settle`, `keep`, `restore` and `fill`, made by `formOf(form.name)`. fresh:
    a field that is renewed by the server at every load, before what was kept is put back (the list of models). The
    form's folds are made open, and closed here: see `settle`.
    """
    every = list(form.fields.values())
    kept = gr.BrowserState({}, storage_key=f"triptych.{form.name}", secret="triptych")
    wish = gr.HTML("", js_on_load=_wish(form), elem_classes=["wish"], apply_default_css=False)
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    inputs = [kept, *every]
    gr.on([one.change for one in every], None, inputs, kept, js=in_browser(room, module, "keep"), **quiet)
    wish.submit(None, [wish, *every], every, js=in_browser(room, module, "fill"), trigger_mode="multiple", **quiet)
    field, renew = fresh or (None, lambda: None)
    loaded = gr.on(None, renew, None, field, **QUIET)  # without triggers and inputs: when the page is loaded
    folded = loaded.then(None, None, list(form.folds.values()), js=in_browser(room, module, "settle"), **quiet)
    folded.then(None, inputs, every, js=in_browser(room, module, "restore"), **quiet)


def _wish(form: Form) -> str:
    """Our scripts ask for values through an event; this wakes Gradio. What is wished for is gathered aside until it is
    taken, so that two wishes in one moment are one.
    """
    name = json.dumps(form.name)
    initial = [one.value for one in form.fields.values()]
    about = json.dumps({"fields": list(form.fields), "initial": initial, "folds": len(form.folds)})
    return (
        f"(window.triptychForms ??= {{}})[{name}] = {about};"
        f"window.addEventListener('triptych:fill', (event) => {{ if (event.detail.form !== {name}) return;"
        f" Object.assign((window.triptychWishes ??= {{}})[{name}] ??= {{}}, event.detail.values);"
        " props.value = JSON.stringify(event.detail.values); trigger('submit'); });"
    )
