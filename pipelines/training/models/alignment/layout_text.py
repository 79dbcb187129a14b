"""The denoiser's own text tower: Sprite CLIP's, taught to say what will be seen in which part of the picture.

A denoiser that has only noise before it must make the picture out of the text, cell by cell, and attention carries to a
cell what one token says. Sprite CLIP's tokens all say much the same: what is meant. Here the last sixteen, mostly
padding, learn to say what lies in each cell of a 4 x 4 grid, by linear regression of the latents. A plain perceptron on
the pooled text explains half of the latents' variance after four epochs of portraits; the denoiser alone explained a
fifth of it at the highest noise after 300,000 pictures.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from pipelines.training.data.tokenizer import LENGTH
from pipelines.training.loop import Run
from pipelines.training.models.image.denoiser import everyday_examples
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

GRID = 4
CELLS = GRID * GRID
BATCH = 128
# Which of two things is where is the hardest to say: half of what this sees are two things.
PAIRED = 0.5


def on_grid(cells: Tensor, channels: int) -> Tensor:
    """What 16 tokens say of their cells (B, 16, channels * n * n), laid out as latents (B, channels, 4 n, 4 n)."""
    side = round((cells.shape[-1] // channels) ** 0.5)
    cells = cells.view(-1, GRID, GRID, channels, side, side).permute(0, 3, 1, 4, 2, 5)
    return cells.reshape(-1, channels, GRID * side, GRID * side)


class Layout(nn.Module):
    """A text tower with linear heads to latents (16, 8, 8); the heads are dropped after training."""

    def __init__(self, text: CLIPTextModel, channels: int = 16, side: int = 8):
        super().__init__()
        self.text, self.channels = text, channels
        width = text.config.hidden_size
        self.cells = nn.Linear(width, channels * (side // GRID) ** 2)
        self.whole = nn.Linear(width, channels * side * side)

    def forward(self, ids: Tensor) -> Tensor:
        """Expected latents (B, 16, 8, 8) for token ids (B, 32)."""
        out = self.text(input_ids=ids)
        cells = on_grid(self.cells(out.last_hidden_state[:, LENGTH - CELLS :]), self.channels)
        return cells + self.whole(out.pooler_output).view_as(cells)


def layout_loss(model: Layout) -> Callable:
    """Mean squared error of the latents, as Run.train calls it."""

    def loss(batch: tuple[Tensor, Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, int]:
        latents, ids, _ = batch
        with autocast():
            shown = model(ids)
        return (shown.float() - latents).square().mean(), len(latents)

    return loss


def train(folder: Path, text: CLIPTextModel, tokens: CLIPTokenizer, minutes: float) -> Run:
    """One cycle of `minutes`, beginning with this tower: Sprite CLIP's, or one that knows part of it."""
    text.config._attn_implementation = "eager"  # flash attention's backward pass is slow on CPUs at these sizes
    model, examples = Layout(text.train().requires_grad_(True)), everyday_examples(folder, tokens, PAIRED)
    run = Run(folder / "layout", model, Muon(split(model, muon=5e-4, adam=1e-3)), decay=0.995)
    run.resume()
    run.train(lambda draw: examples.batch(draw, BATCH), layout_loss(model), run.cycle(minutes))
    return run
