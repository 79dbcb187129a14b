"""Everybody's place in line, one's own jobs, and what the machine is doing."""

from __future__ import annotations

import gradio as gr

from studio.page.builder import PageBuilder, root

NAME = "queue"


def build(room: PageBuilder) -> None:
    """Two roots; static/jobs/queue.js fills them from the live connection."""
    with gr.Column(elem_classes=["side"]):
        root(room, "queue-side")
    with gr.Column(elem_classes=["stage"]):
        root(room, "queue-stage")
