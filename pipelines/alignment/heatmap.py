"""Where in a picture a text is: every patch is looked at as if it were the whole picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from pipelines.alignment.model import Alignment
    from pipelines.alignment.towers import Pixels, Towers

SIDE = 16  # of the maps of models whose grid follows the picture's shape
DEVIATIONS = 2.0


def maps(alignment: Alignment, pictures: Sequence[Pixels], text: np.ndarray) -> np.ndarray:
    """(N, height, width) in 0…1 for the unit vector of one text.

    d = cosine(patch, text) − mean cosine(patch, references); map = max(d, 0) ÷ max(greatest d, 2 σ), σ being the
    standard deviation that reference captions have on that picture: where nothing fits, nothing lights up.
    """
    return np.stack([_map(alignment, grid, text) for grid in patches(alignment.towers, pictures)])


def _map(alignment: Alignment, grid: np.ndarray, text: np.ndarray) -> np.ndarray:
    others = grid @ alignment.references.T
    fit = grid @ text - others.mean(-1)
    spread = DEVIATIONS * float((others - others.mean(-1, keepdims=True)).std())
    return (np.maximum(fit, 0) / max(float(fit.max()), spread, 1e-9)).astype(np.float32)


@torch.inference_mode()
def patches(towers: Towers, pictures: Sequence[Pixels]) -> list[np.ndarray]:
    """For each picture (height, width, D): vectors of its patches, of unit length, in the space of the texts.

    CLIP: the last layer's attention lets each patch see only itself, as in MaskCLIP (Zhou et al. 2022, section 3.2),
    then the model's own norm and projection. SigLIP: its pooling head over that one patch.
    """
    tower, batch = towers.model.vision_model, towers.joined(pictures)
    if towers.family == "clip":
        found = _clip(towers.model, tower(pixel_values=batch["pixel_values"], output_hidden_states=True))
        return [_square(lines) for lines in found]
    lines = tower(**batch).last_hidden_state
    alone = _unit(tower.head(lines.flatten(0, 1)[:, None])).unflatten(0, lines.shape[:2])
    shapes = batch.get("spatial_shapes")
    if shapes is None:
        return [_square(one) for one in alone]
    return [_resized(one, int(h), int(w)) for one, (h, w) in zip(alone, shapes, strict=True)]


def _clip(model: Any, seen: Any) -> Tensor:
    """(N, patches, D). hidden_states[-2] is what the last layer is given; its first line is the class token."""
    layer, lines = model.vision_model.encoder.layers[-1], seen.hidden_states[-2][:, 1:]
    attention = layer.self_attn
    lines = lines + attention.out_proj(attention.v_proj(layer.layer_norm1(lines)))
    lines = lines + layer.mlp(layer.layer_norm2(lines))
    return _unit(model.visual_projection(model.vision_model.post_layernorm(lines)))


def _square(lines: Tensor) -> np.ndarray:
    side = int(len(lines) ** 0.5)
    return lines.unflatten(0, (side, side)).cpu().numpy()


def _resized(lines: Tensor, height: int, width: int) -> np.ndarray:
    grid = lines[: height * width].unflatten(0, (height, width)).permute(2, 0, 1)[None]
    even = F.interpolate(grid, (SIDE, SIDE), mode="bilinear", align_corners=False)[0].permute(1, 2, 0)
    return _unit(even).cpu().numpy()


def _unit(vectors: Tensor) -> Tensor:
    return F.normalize(vectors.float(), dim=-1)
