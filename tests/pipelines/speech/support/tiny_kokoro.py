"""A tiny Kokoro: an ONNX graph with the inputs and outputs of real exports, and an archive of voices beside it.

A token lasts 3 to 9 frames of 25 ms by its number, at half the speed twice as long; spaces, marks and the pads around
the text are silent, everything else is a tone. The first number of a style is its pitch in hundreds of Hz, the second
its loudness.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from kokoro_onnx.config import DEFAULT_VOCAB
from onnx import TensorProto, helper, numpy_helper

from pipelines.catalog import folders
from pipelines.runtime.options import Options
from pipelines.speech.opening import open_voice
from pipelines.speech.pipeline import SpeechPipeline

CPU = Options(torch.device("cpu"), torch.float32)

FRAME, RATE = 600, 24000  # samples; Hz
VOICES = {"af_sky": (2.0, 0.4), "am_adam": (1.0, 0.4), "bf_emma": (3.0, 0.2), "ff_siwis": (2.5, 0.3),
          "jf_alpha": (4.0, 0.3)}  # fmt: skip
_SILENT = [0, *(DEFAULT_VOCAB[mark] for mark in ' .,!?;:—…"()“”')]


def frames(phonemes: str, speed: float = 1.0) -> list[int]:
    """How long the graph makes the pad, each phoneme and the pad."""
    tokens = [0, *(DEFAULT_VOCAB[phoneme] for phoneme in phonemes), 0]
    return [int(np.rint(np.float32(3 + token % 7) / np.float32(speed))) for token in tokens]


def kokoro(path: Path, tokens: str = "tokens", speed: int = TensorProto.FLOAT, timed: bool = False) -> Path:
    """tokens, speed: name and type of the inputs, which differ between exports. timed: tells its durations."""
    path.mkdir(parents=True, exist_ok=True)
    given = [
        helper.make_tensor_value_info(tokens, TensorProto.INT64, [1, None]),
        helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 256]),
        helper.make_tensor_value_info("speed", speed, [1]),
    ]
    made = [helper.make_tensor_value_info("audio", TensorProto.FLOAT, [None])]
    made += [helper.make_tensor_value_info("duration", TensorProto.INT64, [None])] if timed else []
    graph = helper.make_graph(_nodes(tokens), "kokoro", given, made, _constants())
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path / "kokoro-v1.0.onnx")
    archive(path, {voice: style(*numbers) for voice, numbers in VOICES.items()})
    return path


def opened(folder: Path) -> SpeechPipeline:
    """As the studio opens it: by what lies in the folder."""
    return open_voice(folders.read("kokoro", folder, "folder"), CPU, lambda text, part: None)


def style(pitch: float, loudness: float) -> np.ndarray:
    table = np.zeros((510, 1, 256), np.float32)
    table[..., :2] = pitch, loudness
    return table


def archive(path: Path, voices: dict[str, np.ndarray]) -> None:
    with (path / "voices-v1.0.bin").open("wb") as file:
        np.savez(file, **voices)


def _constants() -> list[TensorProto]:
    gates = np.ones(256, np.float32)
    gates[_SILENT] = 0
    numbers = {"zero": np.int64(0), "one": np.int64(1), "three": np.int64(3), "seven": np.int64(7), "gates": gates,
               "row": np.int64([0]), "column": np.int64([1]), "flat": np.int64([-1]),
               "length": np.int64(FRAME), "turn": np.float32(2 * np.pi * 100 / RATE), "first": np.int64([0]),
               "second": np.int64([1]), "two": np.int64([2]), "wide": np.int64([1, FRAME])}  # fmt: skip
    return [numpy_helper.from_array(np.asarray(value), name) for name, value in numbers.items()]


def _nodes(tokens: str) -> list[onnx.NodeProto]:
    """duration = round((3 + token % 7) / speed); frame f belongs to the token whose durations add up to more than f."""
    wiring = [
        ("Reshape", [tokens, "flat"], "ids"),
        ("Mod", ["ids", "seven"], "rest"),
        ("Add", ["rest", "three"], "whole"),
        ("Cast", ["whole"], "lasting", {"to": TensorProto.FLOAT}),
        ("Cast", ["speed"], "quick", {"to": TensorProto.FLOAT}),
        ("Div", ["lasting", "quick"], "exact"),
        ("Round", ["exact"], "rounded"),
        ("Cast", ["rounded"], "duration", {"to": TensorProto.INT64}),
        ("CumSum", ["duration", "zero"], "reached"),
        ("ReduceSum", ["duration", "row"], "total", {"keepdims": 0}),
        ("Range", ["zero", "total", "one"], "frames"),
        ("Unsqueeze", ["frames", "column"], "lines"),
        ("GreaterOrEqual", ["lines", "reached"], "past"),
        ("Cast", ["past"], "passed", {"to": TensorProto.INT64}),
        ("ReduceSum", ["passed", "column"], "places", {"keepdims": 0}),
        ("Gather", ["ids", "places"], "said"),
        ("Gather", ["gates", "said"], "open"),
        ("Unsqueeze", ["open", "column"], "opened"),
        ("Expand", ["opened", "wide"], "spread"),
        ("Reshape", ["spread", "flat"], "gate"),
        ("Mul", ["total", "length"], "samples"),
        ("Range", ["zero", "samples", "one"], "steps"),
        ("Cast", ["steps"], "time", {"to": TensorProto.FLOAT}),
        ("Slice", ["style", "first", "second", "column"], "pitch"),
        ("Slice", ["style", "second", "two", "column"], "loudness"),
        ("Reshape", ["pitch", "flat"], "hundreds"),
        ("Reshape", ["loudness", "flat"], "level"),
        ("Mul", ["time", "turn"], "turns"),
        ("Mul", ["turns", "hundreds"], "phase"),
        ("Sin", ["phase"], "tone"),
        ("Mul", ["tone", "level"], "loud"),
        ("Mul", ["loud", "gate"], "audio"),
    ]
    return [helper.make_node(kind, takes, [gives], **(more[0] if more else {})) for kind, takes, gives, *more in wiring]
