"""The batched denoising step: one UNet call for any mix of jobs, then each job's own sampler moves its own latents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pipelines.errors import NotFinite
from pipelines.image.model.ip_attention import ARGUMENT, Shown, Sight
from pipelines.image.prompt.conditioning import Conditioning
from pipelines.image.samplers import Undo
from pipelines.image.state import ImageState, Prediction

if TYPE_CHECKING:
    from pipelines.image.model.parts import Parts
    from pipelines.image.prompt.ip_adapter import Adapter


class Denoiser:
    """Steps of one model. Remembers only the joined conditioning of the latest batch.

    adapter: gives what it looks at pictures with.
    """

    def __init__(self, parts: Parts, adapter: Callable[[], Adapter]):
        self._parts, self._adapter = parts, adapter
        self._batch: RowBatch | None = None
        self._extra: dict[str, Any] = {}

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
            moved = [s.hold(each) for s, each in zip(ordered, moved, strict=True)]
            finite = torch.cat(moved).isfinite().flatten(1).all(1).tolist()
        for i, state in enumerate(ordered):
            _advance(state, moved[i], Prediction(sample[i : i + 1], output[i : i + 1], state.times[state.index]))
            if not finite[i]:
                state.error = NotFinite("The picture's numbers ran out of bounds (NaN); other settings may help.")

    def _predict(self, batch: RowBatch, sample: Tensor, times: list[float]) -> Tensor:
        """(jobs, C, h, w): the UNet's answer for every job after guidance. sample: (jobs, C, h, w)."""
        rows = batch.spread(sample)
        at = batch.spread(torch.tensor(times, dtype=torch.float32).to(sample.device))
        if batch.beside is not None:
            rows = torch.cat([rows, batch.beside], dim=1)
        rows = rows.to(memory_format=self._parts.memory_format)
        out = self._parts.unet(rows, at, encoder_hidden_states=batch.embeds, return_dict=False, **self._extra)[0]
        return batch.guided(out)

    def _joined(self, members: tuple[Conditioning, ...]) -> RowBatch:
        last = self._batch
        if (
            last is None
            or len(last.members) != len(members)
            or any(a is not b for a, b in zip(last.members, members, strict=True))
        ):
            self._batch = last = join(members)
            self._extra = last.extra
            if last.sees:
                sight = Sight(self._adapter().weights, last.sees)
                self._extra = last.extra | {"cross_attention_kwargs": {ARGUMENT: sight}}
        return last


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


@dataclass(frozen=True, slots=True, eq=False)
class RowBatch:
    """What stays the same as long as the same jobs step together. order: their places, guided ones first.

    pairs: guided jobs; copies: rows that each has beside its positive one. scale, picture_scale: (pairs, 1, 1, 1).
    beside: (rows, c, h, w), channels beside the latents. sees: the pictures that each row sees; empty where none does.
    """

    members: tuple[Conditioning, ...]
    order: list[int]
    pairs: int
    copies: int
    embeds: Tensor
    extra: dict
    scale: Tensor
    picture_scale: Tensor
    beside: Tensor | None
    sees: list[Shown]

    def spread(self, jobs: Tensor) -> Tensor:
        """A line for each job -> one for each row."""
        return torch.cat([jobs[: self.pairs]] * self.copies + [jobs]) if self.pairs else jobs

    def guided(self, out: Tensor) -> Tensor:
        """(rows, C, h, w) -> (jobs, C, h, w)."""
        if not self.pairs:
            return out
        *unguided, positive, rest = out.split([self.pairs] * (self.copies + 1) + [len(out) - self._rows])
        if self.copies == 1:
            (negative,) = unguided
            guided = negative + self.scale * (positive - negative)
        else:
            nothing, shown = unguided
            guided = nothing + self.scale * (positive - shown) + self.picture_scale * (shown - nothing)
        return torch.cat([guided.to(out.dtype), rest])

    @property
    def _rows(self) -> int:
        """Of guided jobs."""
        return self.pairs * (self.copies + 1)


def join(members: tuple[Conditioning, ...]) -> RowBatch:
    """members: of one model, in any order."""
    order = sorted(range(len(members)), key=lambda i: members[i].negative is None)
    ordered = [members[i] for i in order]
    guided = [c for c in ordered if c.negative is not None]
    copies = 2 if guided and guided[0].picture_scale is not None else 1
    negatives = [c.negative for c in ordered if c.negative is not None]
    texts = negatives * copies + [c.positive for c in ordered]
    embeds = torch.cat([text.embeds for text in texts])
    extra: dict = {}
    if ordered[0].sizes is not None:
        sizes = torch.cat([c.sizes for c in guided * copies + ordered])
        extra["added_cond_kwargs"] = {"text_embeds": torch.cat([text.pooled for text in texts]), "time_ids": sizes}
    if ordered[0].scale_embedding is not None:
        extra["timestep_cond"] = torch.cat([c.scale_embedding for c in guided * copies + ordered])
    scales = _vector([c.guidance_scale for c in guided], embeds), _vector([c.picture_scale for c in guided], embeds)
    return RowBatch(members, order, len(guided), copies, embeds, extra, *scales, _beside(ordered, guided, copies),
                 _sees(ordered, guided, copies))  # fmt: skip


def _beside(ordered: list[Conditioning], guided: list[Conditioning], copies: int) -> Tensor | None:
    if ordered[0].beside is None:
        return None
    nothing = [torch.zeros_like(c.beside) for c in guided] * (copies - 1)
    return torch.cat(nothing + [c.beside for c in guided + ordered])


def _sees(ordered: list[Conditioning], guided: list[Conditioning], copies: int) -> list[Shown]:
    rows = [c.unshown for c in guided] * copies + [c.shown for c in ordered]
    return rows if any(rows) else []


def _vector(values: list, like: Tensor) -> Tensor:
    return torch.tensor([value or 0.0 for value in values], dtype=torch.float32, device=like.device).view(-1, 1, 1, 1)
