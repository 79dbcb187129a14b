"""Train the Sprite autoencoder on single things and crowded scenes at its full 256 pixels."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.image.model.autoencoder import SpriteAutoencoder
from pipelines.training.corpus import scenes
from pipelines.training.corpus.corpus import SIZE, Corpus
from pipelines.training.data.dataset import to_tensor
from pipelines.training.loop import Run
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

BATCH = 24
STYLES = {"3d": 0.35, "flat": 0.2, "noto": 0.2, "glossy": 0.1, "twemoji": 0.1, "emojione": 0.05}
# The decoder will be fed by a denoiser that is never exact: noise on the latents in training keeps it tolerant, and
# the penalty on their size keeps the encoder from outgrowing the noise.
NOISE, SIZE_PENALTY = 0.05, 1e-3


def picture(draw: np.random.Generator, corpus: Corpus, shares: np.ndarray) -> np.ndarray:
    """One training picture without a caption, uint8 (256, 256, 3): one to four things anywhere, colours shuffled."""
    top, bottom = draw.integers(0, 256, (2, 3))
    white = scenes.Background()
    canvas = scenes.paint(white if draw.random() < 0.5 else scenes.Background("gradient", None, top, bottom))
    many = draw.random() < 0.4
    for _ in range(draw.integers(2, 5) if many else 1):
        side = draw.uniform(90, 200) if many else draw.uniform(150, 256)
        low = side / 2 - 10
        sprite = corpus.sprites[draw.choice(len(shares), p=shares)]
        scenes.place(canvas, sprite, draw.uniform(low, SIZE - low, 2), side)
    if draw.random() < 0.25:
        canvas = canvas[..., draw.permutation(3)]
    return scenes.finish(canvas)


def distance(shown: Tensor, wanted: Tensor) -> Tensor:
    """L1 of the pictures, of their horizontal and vertical differences (edges) and of their quarter size (colours)."""
    error = shown - wanted
    across, down = error[..., 1:] - error[..., :-1], error[..., 1:, :] - error[..., :-1, :]
    return error.abs().mean() + across.abs().mean() + down.abs().mean() + F.avg_pool2d(error, 4).abs().mean()


def signal_to_noise(shown: Tensor, wanted: Tensor) -> float:
    """Mean peak signal-to-noise ratio in decibels of pictures in [-1, 1]."""
    square = ((shown.clamp(-1, 1) - wanted) / 2).square().mean((1, 2, 3))
    return (-10 * square.log10()).mean().item()


def batch_of(corpus: Corpus, batch: int = BATCH) -> Callable:
    """Prepares a batch of pictures as Run.train calls it."""
    shares = corpus.shares(STYLES)
    return lambda draw: to_tensor([picture(draw, corpus, shares) for _ in range(batch)])


def loss_of(model: SpriteAutoencoder) -> Callable:
    """The loss of one step as Run.train calls it."""

    def loss(wanted: Tensor, generator: torch.Generator) -> tuple[Tensor, int]:
        with autocast():
            latents = model.encoder(wanted).float()
            noisy = latents + NOISE * torch.randn(latents.shape, generator=generator)
            shown = model.decoder(noisy).float()
        size = (latents.square().mean() - 1).clamp(min=0)
        return distance(shown, wanted) + SIZE_PENALTY * size, len(wanted)

    return loss


def start(folder: Path) -> Run:
    """A run with fresh weights or the folder's checkpoint."""
    torch.manual_seed(1)
    model = SpriteAutoencoder().to(memory_format=torch.channels_last)
    run = Run(folder / "autoencoder", model, Muon(split(model, muon=1e-3, adam=1e-3)), decay=0.998)
    run.resume()
    return run


@torch.no_grad()
def standardise(model: SpriteAutoencoder, latents: Tensor) -> None:
    """Fold the mean and deviation of each channel of `latents` (N, 16, 8, 8) into both sides' convolutions.

    Afterwards every channel has zero mean and unit deviation, so scaling_factor is 1. Exact but at the border, where
    the decoder's first convolution sees zeros: now the mean, before not. Its further training mends that.
    """
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    last, first = model.encoder[-1], model.decoder[0]
    last.weight.div_(deviation[:, None, None, None])
    last.bias.sub_(mean).div_(deviation)
    first.bias.add_((first.weight.sum((2, 3)) * mean).sum(1))
    first.weight.mul_(deviation[None, :, None, None])


@torch.no_grad()
def finish(model: SpriteAutoencoder, corpus: Corpus, pictures: int = 240) -> None:
    """Make the encoder final: standardise over `pictures` pictures."""
    draw, shares = np.random.default_rng(13), corpus.shares(STYLES)
    batches = [to_tensor([picture(draw, corpus, shares) for _ in range(16)]) for _ in range(pictures // 16)]
    standardise(model, torch.cat([model.encoder(batch) for batch in batches]))


@torch.no_grad()
def importance(model: SpriteAutoencoder, latents: Tensor, noise: float = 0.3) -> Tensor:
    """How much each channel of `latents` (N, 16, 8, 8) tells in the picture: the root of the mean squared change of the
    pixels by noise on that channel alone, float32 (16,) of mean 1."""
    shown, told = model.decoder(latents), []
    for channel in range(latents.shape[1]):
        moved = latents.clone()
        moved[:, channel] += noise * torch.randn(
            moved[:, channel].shape, generator=torch.Generator().manual_seed(channel)
        )
        told.append((model.decoder(moved) - shown).square().mean().sqrt())
    return torch.stack(told) / torch.stack(told).mean()


def train(folder: Path, minutes: float) -> Run:
    """Train for `minutes` in all, earlier sessions counted in."""
    corpus, run = Corpus.open(folder), start(folder)
    run.train(batch_of(corpus), loss_of(run.model), run.cycle(minutes))
    return run
