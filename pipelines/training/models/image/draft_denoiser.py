"""Train the denoiser that goes on from a draft: 16 x 16 latents, the draft's latents beside them (InstructPix2Pix).

What a picture shows, where and in which colour, the draft says: the same scene in another hand. So nearly all of the
training is at noise that a drawing begins with when it starts from its draft (SDEdit, Meng et al. 2022), and the high
noise, where a small model spends most of its life, is left to the draft.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionInstructPix2PixPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from pipelines.image.model.autoencoder import SpriteAutoencoder
from pipelines.training.checkpoints import LARGEST
from pipelines.training.corpus.colours import dominant
from pipelines.training.corpus.corpus import OTHERS, STYLES, Corpus
from pipelines.training.data import plans
from pipelines.training.data.compositing import SIZE, Layers, compose, gradient, recolour
from pipelines.training.data.sprite_bank import SMALL, SpriteBank
from pipelines.training.device_run import DeviceRun
from pipelines.training.models.image.denoiser import CHINESE, NO_PROMPT, angles
from pipelines.training.models.image.fine_autoencoder import FINAL, seldom, uniform
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast
from pipelines.training.release import publish

NAME = "draft-denoiser"
BATCH = {"cpu": 32, "cuda": 512}
SINGLES = 0.65
NO_DRAFT = 0.1
# Of log(sigma / alpha): 0.96 of all times are below a noise of 0.8 of the mixture, sigma / alpha = 4.
NOISE = (-0.4, 1.0)


def fresh(seed: int = 1) -> UNet2DConditionModel:
    """The denoiser with random weights, 10 M: 16 x 16 without and 8 x 8 with attention to the text."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        sample_size=16, in_channels=16, out_channels=8, block_out_channels=(96, 160), layers_per_block=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=256, attention_head_dim=(3, 4), norm_num_groups=16,
        addition_embed_type="text", addition_embed_type_num_heads=8,
    )  # fmt: skip
    torch.nn.init.zeros_(unet.add_embedding.norm2.weight)
    return unet


@dataclass(frozen=True)
class Hands:
    """Who drew what. row: the picture of each thing in each style, int64 (T, styles), -1 where training has none. hue:
    each picture's main one, 0 to 1, (N,)."""

    row: Tensor
    hue: Tensor

    @classmethod
    def of(cls, corpus: Corpus, small: np.ndarray, device: torch.device) -> "Hands":
        """small: the pictures in any size, (N, S, S, 4)."""
        row = np.full((len(corpus.things), len(STYLES) + len(OTHERS)), -1)
        for (thing, style), i in corpus.index.items():
            if corpus.training[i]:
                row[thing, (*STYLES, *OTHERS).index(style)] = i
        hue = [dominant(p[..., :3], p[..., 3] / 255)[0] / 360 for p in small]
        return cls(torch.from_numpy(row).to(device), torch.tensor(hue, dtype=torch.float32, device=device))

    def any_of(self, things: Tensor, generator: torch.Generator) -> Tensor:
        """A picture of each thing (B, K) by any hand, its own style's too; -1 where there is none. All that are like
        the first are by one hand, as counts are."""
        there = (self.row[things.clamp(min=0)] >= 0).float().flatten(0, 1)
        drawn = torch.multinomial(there, 1, generator=generator).view_as(things)
        drawn = torch.where(things == things[:, :1], drawn[:, :1], drawn)
        return torch.where(things < 0, -1, self.row[things.clamp(min=0), drawn])


@dataclass(frozen=True)
class Drafts:
    """Batches of pictures with drafts and captions, made on the device from plans."""

    bank: SpriteBank
    hands: Hands
    plans: dict[str, Tensor]
    single: Tensor
    grounds: Tensor
    nothing: Tensor

    @classmethod
    def open(cls, folder: Path, tokens: CLIPTokenizer, device: torch.device) -> "Drafts":
        """Of the cache folder, whose corpus and plans are built if needed."""
        bank, corpus = SpriteBank.open(folder, dict.fromkeys(STYLES, 1.0), device), Corpus.open(folder)
        small = plans.small_corpus(folder, corpus, plans.SMALL).sprites
        stored = np.load(plans.build(folder, tokens))
        return cls.of(bank, Hands.of(corpus, small, device), {k: stored[k] for k in stored.files}, tokens, device)

    @classmethod
    def of(
        cls, bank: SpriteBank, hands: Hands, stored: dict[str, np.ndarray], tokens: CLIPTokenizer, device: torch.device
    ) -> "Drafts":
        """Of what is stored in plans.npz."""
        known = {name: torch.from_numpy(value).to(device) for name, value in stored.items()}
        grounds = torch.from_numpy(plans.grounds()).permute(0, 3, 1, 2).float().div(255).to(device)
        nothing = plans.Examples.code(tokens, [""])[0].long().to(device)
        return cls(bank, hands, known, known["things"][:, 1] < 0, grounds, nothing)

    def batch(self, number: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures and their drafts (number, 3, 256, 256) in [-1, 1], token ids (number, 32): singles, then scenes."""
        singles = round(SINGLES * number)
        parts = []
        for size, few, part in ((SIZE, True, singles), (SMALL, False, number - singles)):
            share = self.plans["share"] * (self.single == few)
            rows = torch.multinomial(share, part, replacement=True, generator=generator)
            parts.append((*self.drawn(rows, size, 1 if few else plans.MOST, generator), self.prompt(rows, generator)))
        return tuple(torch.cat(column) for column in zip(*parts, strict=True))

    def drawn(self, rows: Tensor, size: int, most: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures and drafts of the plans `rows`, from sprites of `size`."""
        things, styles = self.plans["things"][rows, :most].long(), self.plans["style"][rows].long()
        own = torch.where(things < 0, -1, self.hands.row[things.clamp(min=0), styles[:, None]])
        ground, other = self.ground(rows), self.hands.any_of(things, generator)
        x, y, side = (self.plans[name][rows, :most].float() for name in ("x", "y", "side"))
        moved = [v + uniform(-8, 8, tuple(v.shape), generator) for v in (x, y)]
        scaled = side * uniform(0.92, 1.08, tuple(side.shape), generator)
        hue = self.plans["hue"][rows, :most].float()
        picture = compose(Layers(self.sprites(own, hue, size), x, y, side), ground)
        draft = compose(Layers(self.sprites(other, hue, size), *moved, scaled), ground)
        return tuple((p.clamp(0, 1) * 2 - 1).contiguous(memory_format=torch.channels_last) for p in (picture, draft))

    def sprites(self, rows: Tensor, hue: Tensor, size: int) -> Tensor:
        """Recoloured sprites (B, K, 4, size, size); nothing where a row is -1."""
        flat = rows.flatten()
        found = self.bank.pictures(flat.clamp(min=0), size) * (flat >= 0)[:, None, None, None]
        return recolour(found, self.hands.hue[flat.clamp(min=0)], hue.flatten()).view(*rows.shape, 4, size, size)

    def ground(self, rows: Tensor) -> Tensor:
        """Backgrounds (B, 3, 256, 256), 0 to 1."""
        kind = self.plans["ground"][rows].long()
        upper, lower = (self.plans[name][rows].float() / 255 for name in ("upper", "lower"))
        fixed = self.grounds[(kind - 1).clamp(min=0)]
        return torch.where((kind == 0)[:, None, None, None], gradient(upper, lower, SIZE), fixed)

    def prompt(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Token ids int64 (B, 32): mostly English, some Chinese, some none."""
        which = torch.randint(plans.WORDINGS, rows.shape, generator=generator, device=generator.device)
        ids = self.plans["english"][rows, which].long()
        chance = uniform(0, 1, (len(rows), 1), generator)
        ids = torch.where(chance < NO_PROMPT + CHINESE, self.plans["chinese"][rows].long(), ids)
        return torch.where(chance < NO_PROMPT, self.nothing, ids)


def draw_times(number: int, generator: torch.Generator) -> Tensor:
    """Timesteps int64 (number,): log of sigma / alpha normal, NOISE."""
    log = NOISE[0] + NOISE[1] * torch.randn(number, generator=generator, device=generator.device)
    steps = torch.from_numpy(angles()).float().to(log.device)
    return torch.searchsorted(steps, torch.atan(log.exp())).clamp(max=len(steps) - 1)


def loss_of(unet: UNet2DConditionModel, text: CLIPTextModel, vae: SpriteAutoencoder, device: torch.device) -> Callable:
    """Mean squared error of the velocity, as DeviceRun.train calls it, on batches of `Drafts`.

    `text` and `vae` are locked; latents have unit deviation, so the draft's, unscaled as the pipeline class takes
    them, are like the picture's. One draft in ten is missing (zero), for guidance by picture.
    """
    angle = torch.from_numpy(angles()).float().to(device)

    def loss(batch: tuple[Tensor, Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, int]:
        pictures, drafts, ids = batch
        times = draw_times(len(ids), generator)
        alpha, sigma = (f(angle[times])[:, None, None, None] for f in (torch.cos, torch.sin))
        with autocast(device):
            with torch.no_grad():
                states = text(input_ids=ids).last_hidden_state
                latents, beside = (vae.encoder(p).float() for p in (pictures, drafts))
            beside = beside * ~seldom(NO_DRAFT, (len(ids), 1, 1, 1), generator)
            noise = torch.randn(latents.shape, generator=generator, device=device)
            seen = torch.cat([alpha * latents + sigma * noise, beside], 1).contiguous(memory_format=torch.channels_last)
            shown = unet(seen, times, states, return_dict=False)[0]
        return (shown.float() - (alpha * noise - sigma * latents)).square().mean(), len(ids)

    return loss


def start(folder: Path, device: torch.device) -> DeviceRun:
    """A run from the folder's checkpoint, else from what was finished there, else from fresh weights."""
    finished = folder / NAME / FINAL
    known = UNet2DConditionModel.from_pretrained(finished, torch_dtype=torch.float32) if finished.exists() else fresh()
    unet = known.train().to(device, memory_format=torch.channels_last)
    unet.set_attn_processor(AttnProcessor() if device.type == "cpu" else AttnProcessor2_0())
    run = DeviceRun(folder / NAME, unet, Muon(split(unet, muon=1e-3, adam=1e-3)), decay=0.998, device=device)
    run.resume()
    return run


def train(
    out: Path, drafts: Drafts, text: CLIPTextModel, vae: SpriteAutoencoder, minutes: float, device: torch.device
) -> DeviceRun:
    """One cycle of `minutes`; checkpoints go to `out`."""
    run, batch = start(out, device), BATCH[device.type]
    text, vae = (part.to(device).eval().requires_grad_(False) for part in (text, vae))
    if device.type != "cpu":
        run.model.compile()
        vae.encoder.compile()
    loss = loss_of(run.model, text, vae, device)
    run.train(lambda generator: drafts.batch(batch, generator), loss, run.cycle(minutes))
    save_final(out, run)
    return run


def save_final(out: Path, run: DeviceRun) -> None:
    """The averaged weights alone, float16, in files of 16 MB: a sixth of a checkpoint, and all that another machine
    needs to begin a new cycle."""
    unet = UNet2DConditionModel.from_config(run.model.config)
    unet.load_state_dict({k: v.cpu() for k, v in run.average.items()})
    shutil.rmtree(out / NAME / FINAL, ignore_errors=True)
    publish.half(unet).save_pretrained(out / NAME / FINAL, safe_serialization=True, max_shard_size=LARGEST)


def save(
    target: Path, text: CLIPTextModel, tokens: CLIPTokenizer, unet: UNet2DConditionModel, vae: SpriteAutoencoder
) -> None:
    """The new picture model as a folder that StableDiffusionInstructPix2PixPipeline opens, float16."""
    pipe = StableDiffusionInstructPix2PixPipeline(
        vae=publish.half(vae), text_encoder=publish.half(text), tokenizer=tokens, unet=publish.half(unet),
        scheduler=publish.sampler(), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.save_pretrained(target, safe_serialization=True)
    publish.open_as_float32(target / "text_encoder" / "config.json")
    index = json.loads((target / "model_index.json").read_text())
    index["vae"] = ["pipelines.image.model.autoencoder", "SpriteAutoencoder"]
    (target / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
