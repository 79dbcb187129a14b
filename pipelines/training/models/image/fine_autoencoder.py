"""Train the finer autoencoder: 256 x 256 pictures to 16 x 16 x 8 latents and back.

It begins with what the one of factor 32 knows: all but the way to the latents is the same. Half of what it sees are
windows of 128 x 128: as many pixels, four times as many different things.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.image.model.autoencoder import SpriteAutoencoder
from pipelines.training.corpus.corpus import Corpus
from pipelines.training.data.compositing import SIZE, Layers, compose, gradient, spin_hue
from pipelines.training.data.sprite_bank import SMALL, SpriteBank
from pipelines.training.device_run import DeviceRun
from pipelines.training.models.image.autoencoder import NOISE, SIZE_PENALTY, distance, signal_to_noise, standardise
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

NAME, FINAL = "fine-autoencoder", "final"
BATCH, WINDOW = {"cpu": 4, "cuda": 64}, 128  # whole pictures; pixels
WINDOWS = 0.5  # of the batches
STANDARD = 240


def fresh(seed: int = 1) -> SpriteAutoencoder:
    """The autoencoder with random weights, 3.7 M parameters."""
    torch.manual_seed(seed)
    return SpriteAutoencoder(
        latent_channels=8, block_out_channels=(3, 12, 64, 96, 192), encoder_blocks=(1, 1, 1), decoder_blocks=(2, 2, 3)
    )


def taken_up(coarse: SpriteAutoencoder) -> SpriteAutoencoder:
    """The autoencoder begun with all that one of factor 32 knows at 16 x 16 cells and above: only the convolutions to
    and from the latents are new."""
    model = fresh()
    model.encoder[:-1].load_state_dict(coarse.encoder[: len(model.encoder) - 1].state_dict())
    below = len(coarse.decoder) - len(model.decoder)  # what it does at 8 x 8 cells
    for layer, known in zip(model.decoder[1:], coarse.decoder[below + 1 :], strict=True):
        layer.load_state_dict(known.state_dict())
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


def batch_of(bank: SpriteBank) -> Callable:
    """Makes a batch as DeviceRun.train calls it."""

    def batches(generator: torch.Generator) -> Tensor:
        whole = torch.rand((), generator=torch.Generator().manual_seed(generator.initial_seed())) > WINDOWS
        window = SIZE if whole else WINDOW
        return draw(bank, BATCH[generator.device.type] * (SIZE // window) ** 2, generator, window)

    return batches


def loss_of(model: SpriteAutoencoder, device: torch.device) -> Callable:
    """Distance and squared error of what comes back from noised latents. A window counts as its share of a picture."""

    def loss(wanted: Tensor, generator: torch.Generator) -> tuple[Tensor, int]:
        with autocast(device):
            latents = model.encoder(wanted).float()
            noisy = latents + NOISE * torch.randn(latents.shape, generator=generator, device=device)
            shown = model.decoder(noisy).float()
        size = (latents.square().mean() - 1).clamp(min=0)
        return distance(shown, wanted) + F.mse_loss(shown, wanted) + SIZE_PENALTY * size, wanted[
            :, 0
        ].numel() // SIZE**2

    return loss


def start(folder: Path, device: torch.device, coarse: SpriteAutoencoder | None = None) -> DeviceRun:
    """A run from the folder's checkpoint, else from what the `coarse` one knows, else from fresh weights."""
    model = (taken_up(coarse) if coarse else fresh()).to(device, memory_format=torch.channels_last)
    groups = split(model, muon=5e-4, adam=1e-3)
    run = DeviceRun(folder / NAME, model, Muon(groups), decay=0.998, device=device)
    run.resume()
    return run


def train(
    out: Path, bank: SpriteBank, minutes: float, device: torch.device, coarse: SpriteAutoencoder | None = None
) -> DeviceRun:
    """One cycle of `minutes`; checkpoints go to `out`, and what is finished to its folder FINAL."""
    run = start(out, device, coarse)
    if device.type != "cpu":
        run.model.encoder.compile()
        run.model.decoder.compile()
    run.train(batch_of(bank), loss_of(run.model, device), run.cycle(minutes))
    save_final(out, run, bank)
    return run


def save_final(out: Path, run: DeviceRun, bank: SpriteBank) -> None:
    """The averaged weights, standardised, float16, as a folder that opens: from here on the denoiser knows its latents,
    and of this model only the decoder may go on learning."""
    model = fresh()
    model.load_state_dict({k: v.cpu() for k, v in run.average.items()})
    finish(model, bank)
    model.half().save_pretrained(out / NAME / FINAL, safe_serialization=True)


def load(out: Path) -> SpriteAutoencoder | None:
    """The finished autoencoder in `out`, float32; None when there is none."""
    folder = out / NAME / FINAL
    return SpriteAutoencoder.from_pretrained(folder, torch_dtype=torch.float32).eval() if folder.exists() else None


@torch.no_grad()
def measure(model: SpriteAutoencoder, pictures: Tensor, batch: int = 8) -> float:
    """Mean signal-to-noise ratio, dB, of pictures (N, 3, 256, 256) in [-1, 1], encoded and decoded."""
    return sum(signal_to_noise(model(p).sample, p) * len(p) for p in pictures.split(batch)) / len(pictures)


@torch.no_grad()
def finish(model: SpriteAutoencoder, bank: SpriteBank) -> None:
    """Make the encoder final: standardise its latents over STANDARD pictures."""
    device = bank.share.device
    generator = torch.Generator(device).manual_seed(13)
    shown = [model.encoder(draw(bank, 8, generator).cpu()) for _ in range(STANDARD // 8)]
    standardise(model, torch.cat(shown))


def held_out(corpus: Corpus, number: int) -> Tensor:
    """Pictures (number, 3, 256, 256) in [-1, 1] of things in styles that no training shows, large on white."""
    from pipelines.training.corpus.scene_sampler import portrait
    from pipelines.training.corpus.scenes import render
    from pipelines.training.data.dataset import to_tensor

    rows = [i for i in range(len(corpus.thing)) if not corpus.training[i]]
    rows = [rows[i * len(rows) // number] for i in range(number)]
    return to_tensor([render(portrait(int(corpus.thing[i]), str(corpus.style[i])), corpus) for i in rows])
