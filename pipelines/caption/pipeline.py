"""Pictures to words as scheduled work: blocks of tokens of many jobs together, then what was written is checked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from pipelines.base import Artifact, Piece
from pipelines.caption.checking import check
from pipelines.caption.decoding import beam_search, block, constraints, sampling
from pipelines.caption.state import BLOCK, CaptionState
from pipelines.errors import InvalidRequest
from pipelines.pictures import open_rgb
from pipelines.requests import CaptionRequest
from pipelines.requests.common import drawn
from pipelines.runtime import devices
from pipelines.runtime.out_of_memory import out_of_memory_is_ours

if TYPE_CHECKING:
    from PIL.Image import Image

    from pipelines.alignment.pipeline import AlignmentPipeline
    from pipelines.caption.models.base import Family

LONGEST = 512
CHECKED_AT = 768  # pixels of the longer side: more than any alignment model looks at
CHECK = ("check",)


class CaptionPipeline:
    """A `base.Pipeline` for CaptionRequest. align: opens the alignment pipeline when captions are to be checked."""

    def __init__(self, family: Family, align: Callable[[], AlignmentPipeline]):
        self.entry, self._family, self._align = family.entry, family, align
        self.nbytes = devices.nbytes(family.model)

    def check(self, request: CaptionRequest) -> None:
        """InvalidRequest where this model cannot do what the request asks for."""
        self.entry.check(request)

    def prepare(self, request: CaptionRequest, pictures: Mapping[str, bytes]) -> CaptionState:
        """Reads the picture into numbers. Raises InvalidRequest, BadUpload."""
        self.check(request)
        if request.picture not in pictures:
            raise InvalidRequest("picture", request.picture, "a picture that was uploaded before")
        notes: list[str] = []
        picture = open_rgb(pictures[request.picture], notes)
        inputs, limit = self._family.read(request, picture), min(request.max_tokens, self.entry.longest or LONGEST)
        small = picture.copy()
        small.thumbnail((CHECKED_AT, CHECKED_AT))
        bad = constraints.token_ids(self._family.tokenizer, request.forbidden)
        candidates = range(request.candidates)
        return CaptionState(request, inputs, small, picture.size, limit, *_chance(request, limit), bad, notes,
                            written=[[] for _ in candidates], live=list(candidates))  # fmt: skip

    def batch_key(self, state: CaptionState) -> Hashable:
        """(phase, shape of the inputs, tokens so far): rows of one length need no padding, so none is computed."""
        if not state.live:
            return CHECK
        return beam_search.key(state) if state.request.beams > 1 else ("write", state.shape, state.produced)

    @out_of_memory_is_ours
    def step(self, states: Sequence[CaptionState]) -> None:
        """A block of tokens for all of them, or the check. Raises OutOfMemory, then none has moved."""
        if not states[0].live:
            check.check(self._family, states, self._align)
        elif states[0].request.beams > 1:
            beam_search.search(self._family, states)
        else:
            block.block(self._family, states)

    def preview(self, state: CaptionState) -> Image | None:
        return None

    def pieces(self, state: CaptionState) -> list[Piece]:
        return []

    def finish(self, state: CaptionState) -> Artifact:
        """text/plain: the best caption. info: caption, candidates (best first), alignment, style, notes, width, height.

        A candidate is {"text", "score", "cosine", "phrases": [{"text", "span", "score", "supported"}]}; the formulas
        of the scores are in `pipelines/alignment/scores.py`. vector: the picture's.
        """
        if state.error:
            raise state.error
        candidates = state.checked or []
        best, request = candidates[0], state.request
        judged = {"model": state.judge, "score": best["score"]}
        info = {"caption": best["text"], "candidates": candidates, "alignment": judged, "style": str(request.style),
                "question": request.question, "seed": request.seed, "model": request.model,
                "notes": [*state.notes, *self._cut_short(state)], "width": state.size[0],
                "height": state.size[1]}  # fmt: skip
        return Artifact("caption", "text/plain", best["text"].encode(), info, state.vector)

    def bytes_per_row(self, key: Hashable) -> int:
        """Predicted peak memory of one more candidate."""
        return 0 if key == CHECK else self.entry.cost

    def _cut_short(self, state: CaptionState) -> list[str]:
        if len(state.ended) == len(state.written):
            return []
        whose = self.entry.name if state.limit < state.request.max_tokens else "the request"
        return [f"Some captions were cut at {state.limit} tokens, the most that {whose} allows."]


def _chance(request: CaptionRequest, limit: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first candidate is the likeliest one unless sampling was asked for; the others are drawn."""
    temperatures = torch.full((request.candidates,), request.temperature or sampling.DIVERSE)
    if not request.temperature:
        temperatures[0] = 0.0
    return temperatures, sampling.uniforms(drawn(request.seed), request.candidates, -(-limit // BLOCK) * BLOCK)
