"""The batched denoising step: one UNet call for any mix of jobs, then each job's own sampler moves its own latents.

Rows of a batch with p guided jobs: [p negatives | p positives | positives without guidance]. Guidance is
ε = ε₋ + s (ε₊ − ε₋) with a vector s (Ho & Salimans 2022); timesteps are a vector too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pipelines.conditioning import Conditioning, Text
from pipelines.errors import NotFinite
from pipelines.samplers import Undo
from pipelines.state import ImageState, Prediction

if TYPE_CHECKING:
    from pipelines.loading import Parts


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """What stays the same as long as the same jobs step together. order: their places, guided ones first."""

    members: tuple[Conditioning, ...]
    order: list[int]
    pairs: int
    embeds: Tensor
    extra: dict
    scale: Tensor


class Denoiser:
    """Steps of one model. Remembers only the joined conditioning of the latest batch."""

    def __init__(self, parts: Parts):
        self._parts = parts
        self._batch: _Batch | None = None

    @torch.inference_mode()
    def step(self, states: Sequence[ImageState]) -> None:
        """Advances every state by one model call. If anything is raised, none has moved."""
        batch = self._joined(tuple(state.conditioning for state in states))
        ordered = [states[i] for i in batch.order]
        with _undone_on_error(ordered):
            timesteps = [state.timesteps[state.index] for state in ordered]
            scaled = [s.sampler.scale_model_input(s.latents, t) for s, t in zip(ordered, timesteps, strict=True)]
            sample = torch.cat(scaled)
            output = self._predict(batch, sample, [state.times[state.index] for state in ordered])
            rows = zip(ordered, timesteps, output.split(1), strict=True)
            moved = [s.sampler.step(row, t, s.latents, return_dict=False, **s.options)[0] for s, t, row in rows]
            finite = torch.cat(moved).isfinite().flatten(1).all(1).tolist()
        for i, state in enumerate(ordered):
            _advance(state, moved[i], Prediction(sample[i : i + 1], output[i : i + 1], state.times[state.index]))
            if not finite[i]:
                state.error = NotFinite("The picture's numbers ran out of bounds (NaN); other settings may help.")

    def _predict(self, batch: _Batch, sample: Tensor, times: list[float]) -> Tensor:
        """(jobs, C, h, w): the UNet's answer for every job after guidance. sample: (jobs, C, h, w)."""
        pairs, vector = batch.pairs, torch.tensor(times, dtype=torch.float32).to(sample.device)
        rows = torch.cat([sample[:pairs], sample]) if pairs else sample
        at = torch.cat([vector[:pairs], vector]) if pairs else vector
        rows = rows.to(memory_format=self._parts.memory_format)
        out = self._parts.unet(rows, at, encoder_hidden_states=batch.embeds, return_dict=False, **batch.extra)[0]
        if not pairs:
            return out
        negative, positive = out[:pairs], out[pairs : 2 * pairs]
        guided = (negative + batch.scale * (positive - negative)).to(out.dtype)
        return torch.cat([guided, out[2 * pairs :]])

    def _joined(self, members: tuple[Conditioning, ...]) -> _Batch:
        last = self._batch
        if (
            last is None
            or len(last.members) != len(members)
            or any(a is not b for a, b in zip(last.members, members, strict=True))
        ):
            self._batch = last = _join(members)
        return last


def _join(members: tuple[Conditioning, ...]) -> _Batch:
    order = sorted(range(len(members)), key=lambda i: members[i].negative is None)
    ordered = [members[i] for i in order]
    guided = [c for c in ordered if c.negative is not None]
    texts: list[Text] = [c.negative for c in guided] + [c.positive for c in ordered]
    embeds = torch.cat([text.embeds for text in texts])
    scale = torch.tensor([c.guidance_scale for c in guided], dtype=torch.float32, device=embeds.device)
    extra: dict = {}
    if ordered[0].sizes is not None:
        sizes = torch.cat([c.sizes for c in guided + ordered])
        extra["added_cond_kwargs"] = {"text_embeds": torch.cat([text.pooled for text in texts]), "time_ids": sizes}
    if ordered[0].scale_embedding is not None:
        extra["timestep_cond"] = torch.cat([c.scale_embedding for c in guided + ordered])
    return _Batch(members, order, len(guided), embeds, extra, scale.view(-1, 1, 1, 1))


def _advance(state: ImageState, latents: Tensor, prediction: Prediction) -> None:
    state.latents, state.prediction = latents, prediction
    state.index += 1
    state.film()


class _undone_on_error:  # used like a function
    """Samplers and generators go back to where they were if the block raises."""

    def __init__(self, states: Sequence[ImageState]):
        self._states = states

    def __enter__(self) -> None:
        self._undo = [Undo(state.sampler, state.generator) for state in self._states]

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is not None:
            for undo in self._undo:
                undo()
