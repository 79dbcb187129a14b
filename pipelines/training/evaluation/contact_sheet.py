"""Draw pictures from prompts with the bundled model, and lay them out as a contact sheet."""

from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw

from pipelines.image.model import autoencoder  # noqa: F401  diffusers finds the autoencoder's class by its imported module

STEPS, GUIDANCE, BATCH = 20, 4.0, 12


def open_pipeline(model: Path) -> StableDiffusionPipeline:
    """Sprite as diffusers opens it."""
    pipe = StableDiffusionPipeline.from_pretrained(model)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def paint(
    pipe: StableDiffusionPipeline, prompts: list[str], steps: int = STEPS, guidance: float = GUIDANCE, seed: int = 0
) -> np.ndarray:
    """uint8 (N, 256, 256, 3); picture i is drawn with seed + i."""
    pictures = []
    for begin in range(0, len(prompts), BATCH):
        some = prompts[begin : begin + BATCH]
        draws = [torch.Generator().manual_seed(seed + begin + i) for i in range(len(some))]
        shown = pipe(some, num_inference_steps=steps, guidance_scale=guidance, generator=draws, output_type="np").images
        pictures.append((shown * 255 + 0.5).astype(np.uint8))
    return np.concatenate(pictures)


def sheet(pictures: np.ndarray, labels: list[str], columns: int = 12, side: int = 160) -> Image.Image:
    """Pictures (N, H, W, 3) in rows, each over its label."""
    from PIL import ImageFont

    rows, text = -(-len(pictures) // columns), 16
    page = Image.new("RGB", (columns * side, rows * (side + text)), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(11)
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = number % columns * side, number // columns * (side + text)
        page.paste(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS), (x, y))
        pen.text(
            (x + 4, y + side + 1), label if label.isascii() else "(red apple, in Chinese)", fill=(60, 60, 60), font=font
        )
    return page
