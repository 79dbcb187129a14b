"""Train the denoiser: diffusers' UNet2DConditionModel, velocity loss, conditioned on Sprite CLIP."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from pipelines.training.corpus import frequencies
from pipelines.training.corpus.corpus import Corpus
from pipelines.training.data.couples import Couples
from pipelines.training.data.tokenizer import LENGTH
from pipelines.training.loop import Run
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

STEPS = 1000
SIGMA_MAX = 80.0
FIRST_ANGLE = 0.0125
BATCH = 64
NO_PROMPT = 0.1
CHINESE = 0.15
# Shares of the drawn sets: a thing is learnt from the same few portraits of it shown often, a hundred epochs of them.
SETS = {"portraits": 0.65, "scenes": 0.35}
# Of every batch, the share that is two things joined.
PAIRED = 0.3
# How much oftener than drawn an example of a set is shown.
FOCUS = {"3d": 1.4, "flat": 0.7, "noto": 0.9, "single": 0.8, "count": 1.0, "pair": 0.8, "between": 0.3}


def angles() -> np.ndarray:
    """The angle of every timestep, float64 (1000,): alpha = cos, sigma = sin, uniform up to sigma / alpha = 80.

    Spacing uniform in angle is TrigFlow's (Lu & Song 2024); the end at 80, not infinity, keeps Karras' spacing sane.
    """
    return np.linspace(FIRST_ANGLE, math.atan(SIGMA_MAX), STEPS)


def betas() -> list[float]:
    """The schedule as diffusers' `trained_betas`: the product of (1 - beta) up to t is cos^2 of the angle at t."""
    kept = np.cos(angles()) ** 2
    return [float(v) for v in 1 - kept / np.concatenate([[1.0], kept[:-1]])]


def draw_times(draw: np.random.Generator, size: int) -> np.ndarray:
    """Timesteps int64 (size,): log of sigma / alpha normal (Karras et al. 2022), the middle most often."""
    angle = np.arctan(np.exp(draw.normal(1.2, 1.3, size)))
    return np.clip(np.searchsorted(angles(), angle), 0, STEPS - 1)


def fresh(seed: int = 1) -> UNet2DConditionModel:
    """The denoiser with random weights: 8 x 8 and 4 x 4, attention to the text on both.

    The text also goes into the embedding of the time, pooled: what the thing is matters to every cell. That path
    begins at zero, so that weights without it can be taken further.
    """
    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=16, out_channels=16, block_out_channels=(96, 176), layers_per_block=2,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=256, attention_head_dim=(3, 4), norm_num_groups=16,
        addition_embed_type="text", addition_embed_type_num_heads=8,
    )  # fmt: skip
    torch.nn.init.zeros_(unet.add_embedding.norm2.weight)
    return unet


def shares(rows: list[dict], worth: np.ndarray | None = None) -> np.ndarray:
    """How often each example of one set is shown, of all of that set; float64 (N,). worth: each thing's, (T,)."""
    share = np.array([FOCUS.get(row["style"], 1.0) * FOCUS[row["kind"]] for row in rows])
    if worth is not None:
        share *= [worth[row["things"]].mean() for row in rows]
    return share / share.sum()


class Examples:
    """Standardised latents and captions as tokens of the drawn sets in `folder`, in the shares of `sets`.

    worth: how often each thing of the corpus is shown, (T,); all alike without. couples: pairs that take the places of
    a share `paired` of them in a batch.
    """

    def __init__(
        self, folder: Path, tokens: CLIPTokenizer, sets: dict[str, float] = SETS, worth: np.ndarray | None = None,
        couples: Couples | None = None, paired: float = 0.0,
    ):  # fmt: skip
        self.couples, self.paired = couples, paired
        self.latents = torch.cat([torch.from_numpy(np.load(folder / name / "latents.npy")) for name in sets])
        drawn = [json.loads((folder / name / "scenes.json").read_text()) for name in sets]
        rows = [row for part in drawn for row in part]
        self.english = self.code(tokens, [c for row in rows for c in row["en"]]).view(len(rows), -1, LENGTH)
        self.chinese = self.code(tokens, [row["zh"] for row in rows])
        self.nothing = self.code(tokens, [""])[0]
        each = [weight * shares(part, worth) for part, weight in zip(drawn, sets.values(), strict=True)]
        share = np.cumsum(np.concatenate(each))
        self.share = share / share[-1]

    @staticmethod
    def code(tokens: CLIPTokenizer, texts: list[str]) -> Tensor:
        """Token ids int32 (N, 32), padded as the pipelines pad."""
        coded = tokens(texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt")
        return coded["input_ids"].int()

    def known(self, draw: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Numbers of examples (size,), and an English caption of each (size, 32)."""
        rows = torch.from_numpy(np.searchsorted(self.share, draw.random(size)))
        return rows, self.english[rows, torch.from_numpy(draw.integers(0, self.english.shape[1], size))].long()

    def batch(self, draw: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Latents (size, 16, 8, 8), token ids (size, 32), timesteps (size,)."""
        rows, ids = self.known(draw, size)
        chance = torch.from_numpy(draw.random(size))[:, None]
        ids = torch.where(chance < NO_PROMPT + CHINESE, self.chinese[rows].long(), ids)
        ids = torch.where(chance < NO_PROMPT, self.nothing.long(), ids)
        latents, number = self.latents[rows].float(), round(self.paired * size)
        if self.couples and number:
            latents[-number:], ids[-number:] = self.couples.batch(draw, number)
        return latents, ids, torch.from_numpy(draw_times(draw, size))


def everyday_examples(folder: Path, tokens: CLIPTokenizer, paired: float = PAIRED) -> Examples:
    """The examples as the denoiser is shown them: what people ask for oftenest, most; a share `paired` are couples."""
    worth = frequencies.worth(Corpus.open(folder).things)
    return Examples(folder, tokens, worth=worth, couples=Couples(folder, tokens), paired=paired)


def some_latents(folder: Path, number: int = 32) -> Tensor:
    """A few portraits' latents (number, 16, 8, 8)."""
    return torch.from_numpy(np.load(folder / "portraits" / "latents.npy", mmap_mode="r")[:number].astype(np.float32))


def velocity_loss(unet: UNet2DConditionModel, text: CLIPTextModel, important: Tensor | None = None) -> Callable:
    """Mean squared error of the velocity alpha * noise - sigma * latents (Salimans & Ho 2022), channels weighted.

    important: (16,), all alike without. One channel of the latents is most of what the eye sees, and others hardly
    show; equal weights spend what the denoiser can learn on what nobody sees. Batches: latents, token ids, timesteps
    and, for a denoiser with an image prompt, the pictures' patches.
    """
    weight = 1.0 if important is None else important[:, None, None]
    angle = torch.from_numpy(angles()).float()

    def loss(batch: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, int]:
        latents, ids, times, *pictures = batch
        seen = {"image_embeds": pictures} if pictures else None
        alpha, sigma = (f(angle[times])[:, None, None, None] for f in (torch.cos, torch.sin))
        noise = torch.randn(latents.shape, generator=generator)
        with autocast():
            with torch.no_grad():
                states = text(input_ids=ids).last_hidden_state
            noisy = (alpha * latents + sigma * noise).contiguous(memory_format=torch.channels_last)
            shown = unet(noisy, times, states, added_cond_kwargs=seen, return_dict=False)[0]
        error = (shown.float() - (alpha * noise - sigma * latents)).square()
        return (weight * error).mean(), len(latents)

    return loss


def start(folder: Path, seed: int = 1, begin: UNet2DConditionModel | None = None) -> Run:
    """A run from `begin` (else fresh weights) or the folder's checkpoint, set up for fast training on a CPU."""
    unet = (begin or fresh(seed)).train().to(memory_format=torch.channels_last)
    unet.set_attn_processor(AttnProcessor())  # flash attention's backward pass is slow on CPUs at these sizes
    run = Run(folder / "unet", unet, Muon(split(unet, muon=1e-3, adam=1e-3)), decay=0.996, seed=seed)
    run.resume()
    return run


def train(
    folder: Path, text: CLIPTextModel, tokens: CLIPTokenizer, minutes: float,
    begin: UNet2DConditionModel | None = None, important: Tensor | None = None,
) -> Run:  # fmt: skip
    """One cycle of `minutes`; `text` is locked. important: the weight of each channel, (16,), all alike without."""
    run, examples = start(folder, begin=begin), everyday_examples(folder, tokens)
    loss = velocity_loss(run.model, text.eval().requires_grad_(False), important)
    run.train(lambda draw: examples.batch(draw, BATCH), loss, run.cycle(minutes))
    return run
