"""What the forms of all tabs do alike: ask the studio, say an error at its field, remember values in the browser.

Gradio has the fields and their layout. What they do is done in the browser, by functions of `static/`, and what is
asked for goes to the studio's own routes, as everything else does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from studio.page.builder import PageBuilder

QUIET: dict[str, Any] = {"show_progress": "hidden"}


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


def asks(room: PageBuilder, form: Form, run: gr.Button, module: str) -> None:
    """A click asks for what the form says, by `run` of that module; what is wrong is said at its field.

    What comes of it arrives over the live connection.
    """
    run.click(
        None,
        list(form.fields.values()),
        [*form.errors.values(), *form.folds.values()],
        js=in_browser(room, module, "run"),
        trigger_mode="multiple",  # several clicks are several jobs
        **QUIET,
    )


def in_browser(room: PageBuilder, module: str, name: str) -> str:
    """A function of `static/<module>.js` as Gradio's `js=`: values of the inputs in, a list of output values out."""
    return f'async (...values) => (await import("{room.base}/js/{module}.js")).{name}(...values)'


def remember(room: PageBuilder, form: Form, module: str) -> None:
    """The browser keeps the values over a reload, and other parts of the page may fill them (`fill` of actions.js).

    module: the file in static/ that exports `offer`, `settle`, `keep`, `restore` and `fill`, made by `formOf`. The list
    of models is renewed at every load, before what was kept is put back. The form's folds are made open, and closed
    here: see `settle`.
    """
    every = list(form.fields.values())
    kept = gr.BrowserState({}, storage_key=f"triptych.{form.name}", secret="triptych")
    wish = gr.HTML("", js_on_load=_wish(form), elem_classes=["wish"], apply_default_css=False)
    inputs = [kept, *every]
    gr.on([one.change for one in every], None, inputs, kept, js=in_browser(room, module, "keep"), **QUIET)
    wish.submit(None, [wish, *every], every, js=in_browser(room, module, "fill"), trigger_mode="multiple", **QUIET)
    # without triggers: when the page is loaded
    loaded = gr.on(None, None, None, form.fields["model"], js=in_browser(room, module, "offer"), **QUIET)
    folded = loaded.then(None, None, list(form.folds.values()), js=in_browser(room, module, "settle"), **QUIET)
    folded.then(None, inputs, every, js=in_browser(room, module, "restore"), **QUIET)


def _wish(form: Form) -> str:
    """Our scripts ask for values through an event; this wakes Gradio. What is wished for is gathered aside until it is
    taken, so that two wishes in one moment are one.
    """
    name = json.dumps(form.name)
    initial = [one.value for one in form.fields.values()]
    about = json.dumps({
        "fields": list(form.fields), "initial": initial, "places": list(form.errors), "folds": list(form.folds),
        "behind": form.behind,
    })  # fmt: skip
    return (
        f"(window.triptychForms ??= {{}})[{name}] = {about};"
        f"window.addEventListener('triptych:fill', (event) => {{ if (event.detail.form !== {name}) return;"
        f" Object.assign((window.triptychWishes ??= {{}})[{name}] ??= {{}}, event.detail.values);"
        " props.value = JSON.stringify(event.detail.values); trigger('submit'); });"
    )


def models_of(room: PageBuilder, task: str) -> list[tuple[str, str]]:
    """The models for that kind of request, those that there are now, as name and id."""
    return [(entry.name, entry.id) for entry in room.catalog.entries(task)]


def model_field(room: PageBuilder, form: Form, task: str, elem_id: str, label: str = "model") -> None:
    """The first is chosen; a Hugging Face id may be typed."""
    choices = models_of(room, task)
    form.fields["model"] = gr.Dropdown(
        choices, value=choices[0][1] if choices else None, label=room.label(label), allow_custom_value=True,
        elem_id=elem_id,
    )  # fmt: skip
    form.place("model")
