"""Everything made so far: search and picture info at the side, the pictures on the stage."""

from __future__ import annotations

import gradio as gr

from studio.page.builder import PageBuilder, root

NAME = "gallery"


def build(room: PageBuilder) -> None:
    """Two roots; static/gallery/gallery.js and static/gallery/picture_info.js fill them from the REST routes."""
    with gr.Column(elem_classes=["side"]):
        root(room, "gallery-side")
    with gr.Column(elem_classes=["stage"]):
        root(room, "gallery-stage")
