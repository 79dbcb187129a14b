"""A vision transformer that begins as a network of convolutions.

A transformer must learn at every place anew what a thing looks like there; a convolution knows that a thing is the same
thing everywhere. Attention can say what a convolution says (Cordonnier et al. 2020, "On the relationship between
self-attention and convolutional layers"): each of eight heads looks at one of a patch's eight neighbours, and the patch
itself goes straight on. So that is how it begins here (as Zheng et al. 2024, "Structured initialization for attention
in vision transformers", begin theirs), by weights alone: it stays the class that it was.

Places are waves, cos(w x) and sin(w x): the place beside is a rotation of them, and that is a linear map.
"""

import math
from math import cos, sin

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPVisionModel

NEIGHBOURS = [(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1) if x or y]
WAVES = 7
# How strongly places are written beside what is seen, and how sharply heads look: nine tenths of what a head takes is
# its neighbour's at first, and more than eight tenths in the fourth layer.
PLACE, SHARP = 0.5, 1.3
# How much of an orthogonal map a layer's two parts begin with.
SMALL = 0.5


def filters(patches: Tensor, number: int) -> Tensor:
    """Main directions of the patches (N, V), evenly strong, then the same turned around: (number, V).

    Filters that begin at random see little but brightness for a long time.
    """
    patches = patches[patches.std(1) > 0.03]
    _, strength, directions = torch.linalg.svd(patches - patches.mean(0), full_matrices=False)
    found = directions / (strength / len(patches) ** 0.5 + 0.05)[:, None]
    found = torch.cat([found, -found])[:number]
    return F.pad(found, (0, 0, 0, number - len(found)))


def waves(side: int) -> Tensor:
    """Cosines and sines of `WAVES` frequencies at the places of one line, (side, 2 * WAVES)."""
    angle = torch.outer(torch.arange(side), torch.arange(1, WAVES + 1) * torch.pi / side)
    return torch.stack([angle.cos(), angle.sin()], 2).flatten(1)


def shift(places: int, side: int) -> Tensor:
    """The map that makes waves at x those at x + places: (2 * WAVES, 2 * WAVES)."""
    angles = [wave * math.pi / side * places for wave in range(1, WAVES + 1)]
    return torch.block_diag(*(torch.tensor([[cos(a), -sin(a)], [sin(a), cos(a)]]) for a in angles))


@torch.no_grad()
def begin(tower: CLIPVisionModel, pixels: Tensor) -> None:
    """Give a tower of eight heads these weights; pixels (B, 3, S, S) are some of the pictures it will see.

    The first states hold the place, twice, once turned around, so that norms do not shift it; nothing else is written
    there at first. Raises ValueError for heads that are too few or too narrow.
    """
    shape, seen = tower.config, tower.embeddings
    side, width = shape.image_size // shape.patch_size, shape.hidden_size
    head = width // shape.num_attention_heads
    if shape.num_attention_heads != len(NEIGHBOURS) or head < 4 * WAVES:
        raise ValueError(f"eight heads of {4 * WAVES} or more are wanted, not {shape.num_attention_heads} of {head}")
    held = 8 * WAVES
    line = waves(side)
    place = torch.cat([line.repeat(side, 1), line.repeat_interleave(side, 0)], 1)
    seen.position_embedding.weight.zero_()
    seen.position_embedding.weight[1:, :held] = PLACE * torch.cat([place, -place], 1)
    patches = F.unfold(pixels, shape.patch_size, stride=shape.patch_size).transpose(1, 2).flatten(0, 1)
    table = seen.patch_embedding.weight.flatten(1)
    table.zero_()[held:] = 0.35 * filters(patches, width - held)
    seen.class_embedding.normal_(std=0.02)[:held] = 0
    for layer in tower.encoder.layers:
        _layer(layer, held, head, side)


def lock(tower: CLIPVisionModel) -> None:
    """Where heads look and where places are written learns no more: steps as large as the other weights need would
    soon take it apart."""
    tower.embeddings.position_embedding.requires_grad_(False)
    for layer in tower.encoder.layers:
        layer.self_attn.q_proj.requires_grad_(False)
        layer.self_attn.k_proj.requires_grad_(False)


def _layer(layer: torch.nn.Module, held: int, head: int, side: int) -> None:
    attention, own = layer.self_attn, held // 2
    for linear in (m for m in layer.modules() if isinstance(m, torch.nn.Linear)):
        linear.bias.zero_()
    attention.q_proj.weight.zero_()
    attention.k_proj.weight.zero_()
    both = torch.cat([torch.eye(own), -torch.eye(own)], 1) * SHARP
    for number, (x, y) in enumerate(NEIGHBOURS):
        rows = slice(number * head, number * head + own)
        attention.q_proj.weight[rows, :held] = torch.block_diag(shift(x, side), shift(y, side)) @ both
        attention.k_proj.weight[rows, :held] = both
    torch.nn.init.orthogonal_(attention.v_proj.weight)[:, :held] = 0
    torch.nn.init.orthogonal_(attention.out_proj.weight, gain=SMALL)[:held] = 0
    first, second = layer.mlp.fc1, layer.mlp.fc2
    torch.nn.init.normal_(first.weight, std=first.in_features**-0.5)[:, :held] *= SMALL
    torch.nn.init.normal_(second.weight, std=SMALL * second.in_features**-0.5)[:held] = 0
