"""Train the finer autoencoder: 256 x 256 pictures to 16 x 16 x 8 latents and back.

Half of the time it sees 128 x 128 windows of pictures: as many pixels, four times as many different things.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..autoencoder import Residual, SpriteAutoencoder
from .autoencoder import NOISE, SIZE_PENALTY, STYLES, distance, signal_to_noise, standardise
from .compositing import SIZE, Layers, compose, gradient, spin_hue
from .corpus import Corpus
from .device_run import DeviceRun
from .optimizer import Muon, split
from .precision import autocast
from .sprite_bank import SMALL, SpriteBank

NAME = "fine-autoencoder"
BATCH, WINDOW = 8, 128
WINDOWS = 0.75  # of the batches


def fresh(seed: int = 1) -> SpriteAutoencoder:
    """The autoencoder with random weights, 1.7 M parameters; every residual block begins as nothing."""
    torch.manual_seed(seed)
    model = SpriteAutoencoder(
        latent_channels=8, block_out_channels=(3, 12, 48, 96, 128), encoder_blocks=(1, 1), decoder_blocks=(1, 2, 2),
        encoder_fold=8, encoder_norm="pixel",
    )  # fmt: skip
    for block in model.modules():
        if isinstance(block, Residual):
            torch.nn.init.zeros_(block.second.weight)
    return model


def uniform(low: float, high: float, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Random numbers between both."""
    return low + (high - low) * torch.rand(shape, generator=generator, device=generator.device)


def seldom(share: float, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """True in a share of places."""
    return torch.rand(shape, generator=generator, device=generator.device) < share


def background(number: int, size: int, top: Tensor, generator: torch.Generator) -> Tensor:
    """Half white, a quarter of one colour, a quarter from one to another; (number, 3, size, size), 0 to 1."""
    upper, lower = uniform(0, 1, (2, number, 3), generator)
    plain, white = (seldom(0.5, (number, 1), generator) for _ in range(2))
    lower = torch.where(plain, upper, lower)
    upper, lower = (torch.where(white, torch.ones_like(c), c) for c in (upper, lower))
    return gradient(upper, lower, size, top)


def placed(
    bank: SpriteBank, number: int, size: int, sides: tuple[float, float], there: float, generator: torch.Generator
) -> Layers:
    """One thing for each of `number` pictures, in a share `there` of them, anywhere, some turned, some recoloured."""
    pictures = bank.pictures(bank.draw(number, generator), size)
    angle = uniform(0, 6.28, (number,), generator) * seldom(0.25, (number,), generator)
    pictures = spin_hue(pictures, angle) * seldom(there, (number, 1, 1, 1), generator)
    one = (number, 1)
    side = uniform(*sides, one, generator)
    low = side / 2 - 10
    x, y = (low + (SIZE - 2 * low) * uniform(0, 1, one, generator) for _ in range(2))
    turn = uniform(-0.4, 0.4, one, generator) * seldom(0.3, one, generator)
    return Layers(pictures[:, None], x, y, side, turn, seldom(0.5, one, generator).float())


def draw(bank: SpriteBank, number: int, generator: torch.Generator, window: int = SIZE) -> Tensor:
    """Pictures (number, 3, window, window) in [-1, 1]: a large thing and often a small one before it, or windows of
    such pictures."""
    left, top = (uniform(0, SIZE - window, (number,), generator).round() for _ in range(2))
    canvas = background(number, window, top, generator)
    canvas = compose(placed(bank, number, SIZE, (150, 256), 1.0, generator), canvas, left, top)
    canvas = compose(placed(bank, number, SMALL, (64, 128), 0.5, generator), canvas, left, top)
    return (canvas.clamp(0, 1) * 2 - 1).contiguous(memory_format=torch.channels_last)


def batch_of(bank: SpriteBank, batch: int = BATCH) -> Callable:
    """Makes a batch as DeviceRun.train calls it."""

    def batches(generator: torch.Generator) -> Tensor:
        whole = torch.rand((), generator=torch.Generator().manual_seed(generator.initial_seed())) > WINDOWS
        window = SIZE if whole else WINDOW
        return draw(bank, batch * (SIZE // window) ** 2, generator, window)

    return batches


def loss_of(model: SpriteAutoencoder, device: torch.device) -> Callable:
    """Distance and squared error of what comes back from noised latents; counts whole pictures."""

    def loss(wanted: Tensor, generator: torch.Generator) -> tuple[Tensor, int]:
        with autocast(device):
            latents = model.encoder(wanted).float()
            noisy = latents + NOISE * torch.randn(latents.shape, generator=generator, device=device)
            shown = model.decoder(noisy).float()
        size = (latents.square().mean() - 1).clamp(min=0)
        return distance(shown, wanted) + F.mse_loss(shown, wanted) + SIZE_PENALTY * size, len(wanted)

    return loss


def start(folder: Path, device: torch.device) -> DeviceRun:
    """A run with fresh weights or the folder's checkpoint."""
    model = fresh().to(device, memory_format=torch.channels_last)
    groups = split(model, muon=1.5e-3, adam=1.5e-3)
    run = DeviceRun(folder / NAME, model, Muon(groups), decay=0.998, device=device)
    run.resume()
    return run


def train(folder: Path, minutes: float, device: torch.device, out: Path | None = None) -> DeviceRun:
    """One cycle of `minutes`; checkpoints go to `out`, else `folder`."""
    bank, run = SpriteBank.open(folder, STYLES, device), start(out or folder, device)
    if device.type != "cpu":
        run.model.encoder.compile()
        run.model.decoder.compile()
    run.train(batch_of(bank), loss_of(run.model, device), run.cycle(minutes))
    return run


@torch.no_grad()
def measure(model: SpriteAutoencoder, pictures: Tensor, batch: int = 8) -> float:
    """Mean signal-to-noise ratio, dB, of pictures (N, 3, 256, 256) in [-1, 1], encoded and decoded."""
    return sum(signal_to_noise(model(p).sample, p) * len(p) for p in pictures.split(batch)) / len(pictures)


@torch.no_grad()
def finish(model: SpriteAutoencoder, bank: SpriteBank, pictures: int = 240) -> None:
    """Make the encoder final: standardise its latents over `pictures` pictures."""
    generator = torch.Generator().manual_seed(13)
    standardise(model, torch.cat([model.encoder(draw(bank, 8, generator)) for _ in range(pictures // 8)]))


def held_out(corpus: Corpus, number: int) -> Tensor:
    """Pictures (number, 3, 256, 256) in [-1, 1] of things in styles that no training shows, large on white."""
    from .autoencoder import to_tensor
    from .compose import portrait
    from .scenes import render

    rows = [i for i in range(len(corpus.thing)) if not corpus.training[i]]
    rows = [rows[i * len(rows) // number] for i in range(number)]
    return to_tensor([render(portrait(int(corpus.thing[i]), str(corpus.style[i])), corpus) for i in rows])
