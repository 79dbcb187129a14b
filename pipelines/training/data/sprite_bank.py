"""The corpus' pictures as tensors on a device, in two sizes, for batches that are composed there."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipelines.training.corpus.corpus import SIZE, Corpus
from pipelines.training.data.batches import small_corpus

SMALL = 128


@dataclass(frozen=True)
class SpriteBank:
    """Premultiplied RGBA, uint8 (N, 4, 256, 256) and (N, 4, 128, 128); `share`: how often each is drawn, (N,)."""

    large: Tensor
    small: Tensor
    share: Tensor

    @classmethod
    def open(cls, folder: Path, styles: dict[str, float], device: torch.device) -> "SpriteBank":
        """Of the built corpus. On the processor the pictures stay on the disk until they are looked at."""
        corpus = Corpus.open(folder)
        small_corpus(folder, corpus, SMALL)
        files = [folder / "corpus" / name for name in ("sprites.npy", f"small-{SMALL}.npy")]
        large, small = (planes(np.load(file, mmap_mode="c"), device) for file in files)
        return cls(large, small, torch.from_numpy(corpus.shares(styles)).float().to(device))

    def draw(self, number: int, generator: torch.Generator) -> Tensor:
        """Rows of `number` pictures, int64 (number,), in their shares."""
        return torch.multinomial(self.share, number, replacement=True, generator=generator)

    def pictures(self, rows: Tensor, size: int = SIZE) -> Tensor:
        """float32 (..., 4, size, size), 0 to 1, of rows (...); size 256 or 128."""
        found = (self.large if size == SIZE else self.small)[rows.flatten()]
        return found.float().div_(255).view(*rows.shape, 4, size, size)


def planes(pictures: np.ndarray, device: torch.device) -> Tensor:
    """uint8 (N, H, W, 4) as (N, 4, H, W) on the device, without a copy on the processor."""
    return torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2)
