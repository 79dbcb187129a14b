"""Between two things: on the sphere for what has a direction, and towards nothing."""

from __future__ import annotations

import torch
from torch import Tensor

PARALLEL = 0.9995  # cosine above which the sphere is flat


def slerp(one: Tensor, other: Tensor, at: float, *, whole: bool = False) -> Tensor:
    """Spherical interpolation (Shoemake 1985) of the vectors in the last dimension, or of all numbers as one vector.

    sin((1 − t)ω)/sin ω · a + sin(tω)/sin ω · b with ω the angle between a and b. 0 and 1 give the ends themselves.
    """
    if at <= 0 or at >= 1:
        return other if at >= 1 else one
    a, b = (x.flatten() if whole else x for x in (one.float(), other.float()))
    cosine = torch.nn.functional.cosine_similarity(a, b, dim=-1).unsqueeze(-1)
    angle = torch.arccos(cosine.clamp(-1, 1))
    sine = torch.sin(angle).clamp(min=1e-6)
    flat = cosine.abs() > PARALLEL
    first = torch.where(flat, torch.full_like(sine, 1 - at), torch.sin((1 - at) * angle) / sine)
    second = torch.where(flat, torch.full_like(sine, at), torch.sin(at * angle) / sine)
    return (first * a + second * b).view(one.shape).to(one.dtype)
