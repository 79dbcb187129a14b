"""What every tab needs: the room it is built in, translated labels, and roots for our own scripts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.page.i18n import Words


@dataclass(frozen=True, slots=True)
class PageBuilder:
    """catalog: `entries()`; base: path of the page's own files."""

    catalog: Any
    settings: Any
    words: Words
    base: str

    def label(self, key: str) -> gr.I18nData:
        """A word that Gradio shows in the browser's language; raises KeyError if there is no such word."""
        if key not in self.words:
            raise KeyError(key)
        return gr.I18n()(f"triptych.{key}")


def root(room: PageBuilder, name: str, props: str = "{}") -> gr.HTML:
    """An empty element that `static/main.js` fills: the part of the page called `name`."""
    start = f'import("{room.base}/js/main.js").then((page) => page.mount({json.dumps(name)}, element, {props}))'
    return gr.HTML(
        "",
        html_template=f'<div id="{name}"></div>',
        js_on_load=start,
        apply_default_css=False,
        elem_id=f"root-{name}",
        elem_classes=["root"],
    )
