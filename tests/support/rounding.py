"""How far two float32 ways to the same numbers may lie apart, on any processor.

Two ways differ by their rounding alone: another kernel (AVX2, AVX-512, AMX), another number of rows or of threads adds
the same numbers in another order. float32 rounds each result by up to u = 2⁻²⁴ ≈ 6e-8 of its size, so what may differ
grows with the values: a bound that is right for latents of size 1 is forty times too strict for latents of size 40.

- FORWARD, one pass through a model: 1e-6 ≈ 17 u of the largest value. A pass has about a hundred layers one behind the
  other; each rounds by a unit or two, up or down, and such errors add like a random walk: √100 x 1.7 u.
- FINAL, the latents after some steps: ten times that. Guidance of scale s says u + s (c - u), which multiplies the
  error of a pass by up to 2s - 1 (14 at 7.5), and every step hands on the errors of those before.
- SHARE, probabilities of 0 to 1: what two cosines differ by (of size 1: FORWARD + LEAST), times the scale that makes
  logits of them (at most 100 in a CLIP), times the steepest slope of a sigmoid or softmax, a quarter.
- LEAST, whatever the size: inside a model the values are of size 1, however small what comes out is.
"""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image

FORWARD, FINAL, LEAST = 1e-6, 1e-5, 1e-6
SHARE = 100 * (FORWARD + LEAST) / 4


def assert_same_forward(ours: object, theirs: object, said: object = "") -> None:
    """Tensors or arrays of one shape: what one pass through a model gives, before guidance. said: what they are of."""
    _assert_within(FORWARD, ours, theirs, said)


def assert_same_latents(ours: object, theirs: object, said: object = "") -> None:
    """Tensors or arrays of one shape: latents after any number of steps."""
    _assert_within(FINAL, ours, theirs, said)


def assert_same_shares(ours: object, theirs: object) -> None:
    """Probabilities that a model of pictures and texts makes of its cosines."""
    np.testing.assert_allclose(_read(ours), _read(theirs), rtol=0, atol=SHARE, equal_nan=False)


def assert_same_picture(ours: bytes, theirs: bytes) -> None:
    """Two files: a value half way between two of a pixel's 256 levels may fall to either; all else is the same."""
    one, other = Image.open(io.BytesIO(ours)), Image.open(io.BytesIO(theirs))
    assert (one.size, one.mode, one.info) == (other.size, other.mode, other.info)
    np.testing.assert_allclose(np.asarray(one, int), np.asarray(other, int), rtol=0, atol=1)


def _assert_within(share: float, ours: object, theirs: object, said: object) -> None:
    ours, theirs = _read(ours), _read(theirs)
    assert ours.shape == theirs.shape
    most = share * np.abs(theirs).max(initial=0) + LEAST
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=most, equal_nan=False, err_msg=str(said))


def _read(values: object) -> np.ndarray:
    return np.asarray(values.detach() if isinstance(values, torch.Tensor) else values, np.float64)
