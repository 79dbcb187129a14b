"""The new picture model's pieces, which train on any device, with everything they need in one file.

    make train ARGS="--pack corpus.zip"                                          where packages can be fetched
    make train ARGS="--device cuda --minutes 25 --corpus corpus.zip --out there" on an accelerator
    make train ARGS="--device cpu --model draft-denoiser --minutes 60"           one piece, here

Called again with the same folders it goes on where it was. The autoencoder comes first and once, a fifth of the time.
Checkpoints are for going on at the same machine. What each piece has learnt, in half precision, is in its folder
"final": 28 MB in six files for both, and a machine that is given only these two folders goes on from there.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from pipelines.training.data import pack, plans
from pipelines.training.data.sprite_bank import SpriteBank
from pipelines.training.models.image import autoencoder, draft_denoiser, fine_autoencoder
from pipelines.training.release import checkpoints


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only these pieces know."""
    parser.add_argument("--device", help="cpu or cuda: train the new picture model's pieces there")
    parser.add_argument("--corpus", type=Path, help="a packed corpus, instead of fetching and drawing it")
    parser.add_argument("--out", type=Path, help="folder of their checkpoints, files of 16 MB at most; else the cache")
    parser.add_argument("--pack", type=Path, help="only write the corpus and its plans to this file")


def train_autoencoder(folder: Path, out: Path, minutes: float, device: torch.device) -> None:
    bank = SpriteBank.open(folder, autoencoder.STYLES, device)
    fine_autoencoder.train(out, bank, minutes, device, checkpoints.load_autoencoder(folder))


def train_denoiser(folder: Path, out: Path, minutes: float, device: torch.device) -> None:
    vae = fine_autoencoder.load(out)
    if vae is None:
        raise SystemExit(f"{draft_denoiser.NAME}: train {fine_autoencoder.NAME} first, into the same folder")
    text, tokens = checkpoints.load_prompts(folder, checkpoints.load_clip(folder)), checkpoints.load_tokens(folder)
    drafts = draft_denoiser.Drafts.open(folder, tokens, device)
    draft_denoiser.train(out, drafts, text, vae, minutes, device)


# The share of the minutes of each, and what trains it.
PIECES: dict[str, tuple[float, Callable]] = {
    fine_autoencoder.NAME: (0.2, train_autoencoder),
    draft_denoiser.NAME: (0.8, train_denoiser),
}


def main(folder: Path, options: argparse.Namespace) -> None:
    """Pack, or train one piece for all of the minutes or both for their shares."""
    if options.corpus:
        pack.unpack(options.corpus, folder)
    if options.pack:
        plans.build(folder, checkpoints.load_tokens(folder))
        pack.write(folder, options.pack)
        return
    device, out, minutes = torch.device(options.device or "cpu"), options.out or folder, options.minutes or 60.0
    known = fine_autoencoder.load(out) is not None
    for name, (share, train) in PIECES.items():
        if options.model == name:
            train(folder, out, minutes, device)
        elif not options.model and not (name == fine_autoencoder.NAME and known):
            train(folder, out, minutes * (1.0 if known else share), device)
