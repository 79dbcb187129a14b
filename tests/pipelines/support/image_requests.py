"""Small requests, and running them."""

from __future__ import annotations

import torch

from pipelines.image.pipeline import ImagePipeline
from pipelines.requests import ImageRequest, make

START = "a" * 64  # the hash under which the tests' start picture is known


def request(**fields: object) -> ImageRequest:
    """A small request with the tests' defaults."""
    small = {"width": 64, "height": 64, "steps": 4, "seed": 7, "prompt": "the red cat", "model": "sd"}
    return make("image", **(small | fields))


def run(pipeline: ImagePipeline, *requests: ImageRequest, pictures: dict[str, bytes] | None = None) -> list:
    """States of the requests after all of their steps, taken together from the start."""
    states = [pipeline.prepare(asked, pictures or {}) for asked in requests]
    while going := [state for state in states if state.steps_left]:
        pipeline.step(going)
    return states


def forwards(pipeline: ImagePipeline, states: list) -> list[torch.Tensor]:
    """What the UNet answers for every state, (its rows, C, h, w), in one step of them together: before guidance, which
    multiplies whatever two answers differ by."""
    answers = []
    hook = pipeline.parts.unet.register_forward_hook(lambda module, args, output: answers.append(output[0]))
    try:
        pipeline.step(states)
    finally:
        hook.remove()
    guided = [state for state in states if state.rows == 2]
    whose = guided * 2 + [state for state in states if state.rows == 1]
    (rows,) = answers
    return [torch.stack([row for row, its in zip(rows, whose, strict=True) if its is state]) for state in states]


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest one."""
    return (one - other).abs().max().item()
