"""A text becomes sound: the form at the side, the recordings on the stage."""

from __future__ import annotations

import gradio as gr

from pipelines.requests import AudioFormat, SpeechRequest, bounds
from studio.page.builder import PageBuilder, root
from studio.page.forms import QUIET, Form, asks, in_browser, model_field, remember

NAME = "speech"
FORMATS = {AudioFormat.MP3: "MP3", AudioFormat.OPUS: "Opus", AudioFormat.FLAC: "FLAC", AudioFormat.WAV: "WAV"}


def build(room: PageBuilder) -> None:
    """The side panel (Gradio components) and the stage (a root for static/speech/stage.js)."""
    with gr.Column(elem_classes=["side"], elem_id="side-speech"):
        asked, run = form(room)
    with gr.Column(elem_classes=["stage"]):
        root(room, "speech-stage")
    asks(room, asked, run, "speech/form")
    remember(room, asked, "speech/form")
    every = list(asked.fields.values())
    for name in ("model", "voice", "speed"):
        asked.fields[name].input(None, every, every, js=in_browser(room, "speech/form", "chosen"), **QUIET)


def form(room: PageBuilder) -> tuple[Form, gr.Button]:
    """The fields by their name in the request, and the button that runs it."""
    form = Form("speech")
    with gr.Column(elem_classes=["fields"]):
        form.fields["text"] = gr.Textbox(
            label=room.label("speech.text"), placeholder=room.label("speech.text.hint"), lines=8, max_lines=16,
            elem_id="text",
        )  # fmt: skip
        form.place("text")
        root(room, "speech-text")
        _voice(room, form)
        _sound(room, form)
    with gr.Column(elem_classes=["foot"]):
        form.place("")
        with gr.Row(elem_classes=["go"]):
            run = gr.Button(room.label("speak"), variant="primary", elem_id="speak")
            root(room, "speech-cancel", '{"id": "cancel-speech"}')
    return form, run


def _voice(room: PageBuilder, form: Form) -> None:
    model_field(room, form, "speech", "speech-model", "speech.model")
    voices = _voices(room)
    with gr.Row(elem_classes=["voice-row"]):
        form.fields["voice"] = gr.Dropdown(
            voices, value=voices[0] if voices else "", label=room.label("voice"), allow_custom_value=True,
            elem_id="voice", min_width=100,
        )  # fmt: skip
        root(room, "voice-sample")
    form.place("voice")
    root(room, "voice-recording")
    form.fields["voice_sample"] = gr.Textbox("", visible="hidden", elem_id="voice_sample")
    form.place("voice_sample")


def _sound(room: PageBuilder, form: Form) -> None:
    limits = bounds(SpeechRequest, "speed")
    form.fields["speed"] = gr.Slider(
        limits["ge"], limits["le"], value=1, step=0.05, label=room.label("speed"), elem_id="speed", buttons=[]
    )
    form.place("speed")
    formats = [(name, str(kind)) for kind, name in FORMATS.items()]
    default = str(SpeechRequest.model_fields["format"].default)
    form.fields["format"] = gr.Radio(formats, value=default, label=room.label("format"), elem_id="format")
    form.place("format")


def _voices(room: PageBuilder) -> list[str]:
    """Of the first model; static/speech/form.js puts those of the others in their place."""
    return list(getattr(next(iter(room.catalog.entries("speech")), None), "voices", ()))
