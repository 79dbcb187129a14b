"""Train the decoder further, behind an encoder that is final, on latents as the denoiser makes them.

A decoder that has only seen encoded pictures draws every tear that the denoiser leaves in its latents. So it is shown
pictures that the denoiser has half forgotten and made again (noised and denoised, SDEdit, Meng et al. 2022), and asked
for the pictures as they were.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel

from pipelines.image.model.autoencoder import SpriteAutoencoder
from pipelines.training.data.dataset import to_tensor
from pipelines.training.loop import Run
from pipelines.training.models.image import denoiser
from pipelines.training.models.image.autoencoder import BATCH, NOISE, distance
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

FORGOTTEN = 0.9  # radians: up to tan of it noise for one of picture; beyond that other pictures come back
STEPS = 3


class Decoding(torch.nn.Module):
    """The decoder alone, for training it."""

    def __init__(self, model: SpriteAutoencoder):
        super().__init__()
        self.decoder = model.decoder


class Pairs:
    """Latents and captions of the drawn sets in `folder` with their pictures, in the shares of `examples`."""

    def __init__(self, folder: Path, examples: denoiser.Examples, sets: dict[str, float] = denoiser.SETS):
        self.examples = examples
        self.pictures = [np.load(folder / name / "pictures.npy", mmap_mode="r") for name in sets]
        self.begins = np.cumsum([0, *(len(pictures) for pictures in self.pictures)])

    def batch(self, draw: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Latents (size, 16, 8, 8), token ids (size, 32) and pictures (size, 3, 256, 256)."""
        rows, ids = self.examples.known(draw, size)
        return self.examples.latents[rows].float(), ids, to_tensor([self.picture(int(row)) for row in rows])

    def picture(self, row: int) -> np.ndarray:
        """Of one example, by its number in all sets."""
        part = int(np.searchsorted(self.begins, row, side="right")) - 1
        return self.pictures[part][row - self.begins[part]]


class Redrawing:
    """Noises latents and denoises them again, by DDIM (Song et al. 2020) in angles; `unet` needs no guidance."""

    def __init__(self, unet: UNet2DConditionModel, text: CLIPTextModel):
        unet.to(memory_format=torch.channels_last).set_attn_processor(denoiser.AttnProcessor())
        self.unet, self.text = unet.eval().requires_grad_(False), text.eval().requires_grad_(False)
        self.angle = torch.from_numpy(denoiser.angles()).float()

    @torch.no_grad()
    def __call__(self, latents: Tensor, ids: Tensor, generator: torch.Generator) -> Tensor:
        """Latents (B, 16, 8, 8) again, each from a noise of its own, up to that of `FORGOTTEN`."""
        most = int((self.angle <= FORGOTTEN).sum())
        begin = torch.randint(0, most, (len(latents),), generator=generator)
        states = self.text(input_ids=ids).last_hidden_state
        noisy = self.turned(latents, torch.randn(latents.shape, generator=generator), self.angle[begin])
        for left in range(STEPS, 0, -1):
            times, after = begin * left // STEPS, begin * (left - 1) // STEPS
            end = self.angle[after] if left > 1 else torch.zeros(len(latents))
            velocity = self.unet(noisy, times, states, return_dict=False)[0].float()
            noisy = self.turned(noisy, -velocity, self.angle[times] - end)
        return noisy

    @staticmethod
    def turned(first: Tensor, second: Tensor, angle: Tensor) -> Tensor:
        """cos * first + sin * second, the angles (B,)."""
        alpha, sigma = (f(angle)[:, None, None, None] for f in (torch.cos, torch.sin))
        return (alpha * first + sigma * second).contiguous(memory_format=torch.channels_last)


def loss_of(model: SpriteAutoencoder, redrawn: Callable, noise: float = NOISE) -> Callable:
    """The loss of one step as Run.train calls it, on batches of `Pairs`. redrawn: as `Redrawing` is called."""

    def loss(batch: tuple[Tensor, Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, int]:
        latents, ids, wanted = batch
        with autocast():
            made = redrawn(latents, ids, generator)
            shown = model.decoder(made + noise * torch.randn(latents.shape, generator=generator)).float()
        return distance(shown, wanted), len(wanted)

    return loss


def refine(folder: Path, model: SpriteAutoencoder, pairs: Pairs, redrawn: Redrawing, minutes: float) -> Run:
    """One cycle of `minutes` of the decoder alone."""
    alone = Decoding(model.to(memory_format=torch.channels_last))
    run = Run(folder / "decoder", alone, Muon(split(alone, muon=8e-4, adam=1e-3)), decay=0.995)
    run.resume()
    run.train(lambda draw: pairs.batch(draw, BATCH), loss_of(model, redrawn), run.cycle(minutes))
    return run
