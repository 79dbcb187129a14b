"""One caption job between its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import Tensor

from pipelines.errors import TriptychError
from pipelines.requests import CaptionRequest

if TYPE_CHECKING:
    from PIL.Image import Image

    from pipelines.caption.decoding.cache import KeyValues
    from pipelines.caption.models.base import Inputs

BLOCK = 16  # tokens of one step


@dataclass(slots=True)
class CaptionState:
    """picture: for the alignment, made small. size: of the uploaded picture. limit: new tokens at most.

    temperatures (candidates,) and draws (candidates, limit rounded up to blocks): the chance of sampling.
    written: each candidate's new tokens without the end; live: the candidates that still write; ended: those that
    came to an end of their own. ids: (live, tokens), all that the decoder has had; memory: (1, …), the family's own.
    """

    request: CaptionRequest
    inputs: Inputs
    picture: Image
    size: tuple[int, int]
    limit: int
    temperatures: Tensor
    draws: Tensor
    bad: list[list[int]]
    notes: list[str]
    written: list[list[int]]
    live: list[int]
    ended: set[int] = field(default_factory=set)
    produced: int = 0
    ids: Tensor | None = None
    kept: KeyValues | None = None
    memory: Tensor | None = None
    checked: list[dict] | None = None
    judge: str = ""
    vector: bytes = b""
    error: TriptychError | None = None

    @property
    def steps_total(self) -> int:
        """Blocks of tokens, fewer where all captions end sooner, and the checking."""
        return 1 + (1 if self.request.beams > 1 else -(-self.limit // BLOCK))

    @property
    def steps_left(self) -> int:
        if self.checked is not None:
            return 0
        if not self.live:
            return 1
        return self.steps_total if self.request.beams > 1 else 1 + -(-(self.limit - self.produced) // BLOCK)

    @property
    def rows(self) -> int:
        return max(1, self.request.beams if self.request.beams > 1 and self.live else len(self.live))

    @property
    def shape(self) -> tuple:
        """Inputs of equal shape can be laid side by side."""
        return tuple((name, tuple(tensor.shape[1:])) for name, tensor in sorted(self.inputs.items()))

    def wrote(self, sequences: Sequence[list[int]]) -> None:
        """All candidates at once: beam search gives them so."""
        self.written, self.live = [list(sequence) for sequence in sequences], []
        self.ended = set(range(len(self.written)))
