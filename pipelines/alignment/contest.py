"""Best of n with an early stop: who is dropped when the alignment looks at half-made pictures. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

LOOK = 1 / 3  # part of the steps after which the predictions are looked at
KEEP = 3 / 8  # of the candidates: with 8 of them 3 go on, which saves 5/8 · 2/3 = 42 % of the rows


def look_after(steps: int) -> int:
    """The number of steps after which the candidates are compared; 0 where there is nothing left to save."""
    after = math.ceil(steps * LOOK)
    return after if after < steps else 0


def dropped(scores: Sequence[float | None], keep: float = KEEP) -> list[int]:
    """Indices of the candidates that fall behind and give up their rows, in order.

    scores: of the prediction of the clean picture (x̂₀) of each candidate against the prompt, all after the same number
    of steps; the model's cosine serves, as only their order counts; None or NaN for those not looked at yet.

    The rule: who has ⌈keep · n⌉ others before him, at least one, is out. So nobody has to wait until all have been
    looked at: who is out now would be out then, and when all have been, the best ⌈keep · n⌉ are left. Of equal ones
    the earlier is the better, so that the same scores always give the same answer.
    """
    seen = [i for i, score in enumerate(scores) if score is not None and not math.isnan(score)]
    order = sorted(seen, key=lambda i: (-float(scores[i] or 0.0), i))
    return sorted(order[max(1, math.ceil(keep * len(scores))) :])


def saved(candidates: int, gone: int, steps: int) -> float:
    """The part of all rows that was not computed."""
    after = look_after(steps)
    return gone * (steps - after) / (candidates * steps) if after else 0.0
