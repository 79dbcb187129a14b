"""What jobs that step together show the UNet, row by row, and how its answers become one for every job.

With p guided jobs: [p negatives | p positives | positives without guidance]. Guidance is ε = ε₋ + s (ε₊ − ε₋) with a
vector s (Ho & Salimans 2022). Models that edit by instruction: [p negatives without the picture | p negatives with it |
p positives | …], and ε = ε₀ + s (ε₊ − ε₋) + s′ (ε₋ − ε₀) (Brooks et al. 2023, equation 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pipelines.image.model.ip_attention import Shown
from pipelines.image.prompt.conditioning import Conditioning


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
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


def join(members: tuple[Conditioning, ...]) -> Batch:
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
    return Batch(members, order, len(guided), copies, embeds, extra, *scales, _beside(ordered, guided, copies),
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
