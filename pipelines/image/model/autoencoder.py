"""The Sprite autoencoder: 256 x 256 pictures to 8 x 8 x 16 latents (or 16 x 16 x 8) and back, with AutoencoderKL's
interface.

Nearly all of an illustration's detail is edges, which a wide convolution at full resolution learns slowly and dearly.
So pixels are folded four by four into channels first (pixel unshuffle), and the network works at 64 px and below:
seven times fewer operations than diffusers' AutoencoderKL of the same size, and no patch seams after the
convolution that follows the unfolding.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils.accelerate_utils import apply_forward_hook
from torch import Tensor, nn

FOLD = 4


class PixelNorm(nn.Module):
    """Each pixel's channels scaled to unit root mean square, then by learnt factors, plus learnt offsets."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        scale = torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-6)
        return x * scale * self.weight[:, None, None] + self.bias[:, None, None]


def group_norm(channels: int) -> nn.GroupNorm:
    """Groups of sixteen channels."""
    return nn.GroupNorm(max(1, channels // 16), channels)


class Residual(nn.Module):
    """x + conv(silu(conv(norm(x)))), channels and size unchanged."""

    def __init__(self, channels: int, norm: Callable[[int], nn.Module]):
        super().__init__()
        self.norm = norm(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(nn.functional.silu(self.first(self.norm(x))))


def encoder(channels: list[int], blocks: list[int], latent: int) -> nn.Sequential:
    """Picture (B, 3, H, W) to latents (B, latent, h, w): pixels folded, then one halving between two `channels`."""
    layers = [nn.PixelUnshuffle(FOLD), nn.Conv2d(3 * FOLD**2, channels[0], 3, padding=1)]
    for level, width in enumerate(channels):
        layers += [Residual(width, group_norm) for _ in range(blocks[level])]
        if level + 1 < len(channels):
            layers.append(nn.Conv2d(width, channels[level + 1], 2, stride=2))
    return nn.Sequential(*layers, nn.Conv2d(channels[-1], latent, 3, padding=1))


def decoder(channels: list[int], blocks: list[int], latent: int) -> nn.Sequential:
    """Latents (B, latent, h, w) to a picture (B, 3, H, W); the mirror of `encoder`."""
    layers: list[nn.Module] = [nn.Conv2d(latent, channels[-1], 3, padding=1)]
    for level in reversed(range(len(channels))):
        # Norms over the whole picture let a decoder pass brightness through one bright corner (Karras et al. 2020
        # saw the same as droplets), and that corner is then visible; norms of single pixels leave no such way.
        layers += [Residual(channels[level], PixelNorm) for _ in range(blocks[level])]
        if level:
            layers += [nn.Conv2d(channels[level], 4 * channels[level - 1], 1), nn.PixelShuffle(2)]
    return nn.Sequential(*layers, nn.Conv2d(channels[0], 3 * FOLD**2, 3, padding=1), nn.PixelShuffle(FOLD))


class PointPosterior:
    """AutoencoderKL's `latent_dist` for a deterministic encoder: sample and mode are the latents themselves."""

    def __init__(self, latents: Tensor):
        self.mean = latents

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        return self.mean

    def mode(self) -> Tensor:
        return self.mean


@dataclass
class EncoderOutput:
    """What `encode` gives; indexable like diffusers' own outputs."""

    latent_dist: PointPosterior

    def __getitem__(self, index: int) -> PointPosterior:
        return (self.latent_dist,)[index]


class SpriteAutoencoder(ModelMixin, ConfigMixin):
    """Pictures in [-1, 1], (B, 3, H, W), sides multiples of the factor (32) <-> latents (B, 16, H/32, W/32).

    `block_out_channels` has six entries as diffusers derives the factor 2^5 from its length (five: 2^4); the first two
    are what folding gives (3 at full size, 12 at half), the others are the network's widths at 1/4, 1/8 and so on.
    `scaling_factor` times the latents has unit standard deviation over the training pictures.
    """

    _supports_gradient_checkpointing = False

    @register_to_config
    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        latent_channels: int = 16,
        block_out_channels: tuple[int, ...] = (3, 12, 64, 96, 192, 192),
        encoder_blocks: tuple[int, ...] = (1, 1, 1, 1),
        decoder_blocks: tuple[int, ...] = (2, 2, 3, 2),
        scaling_factor: float = 1.0,
        shift_factor: float | None = None,
        sample_size: int = 256,
        force_upcast: bool = False,
    ):
        super().__init__()
        widths = list(block_out_channels[2:])
        self.encoder = encoder(widths, list(encoder_blocks), latent_channels)
        self.decoder = decoder(widths, list(decoder_blocks), latent_channels)
        self.use_slicing = False

    @apply_forward_hook
    def encode(self, x: Tensor, return_dict: bool = True) -> EncoderOutput | tuple[PointPosterior]:
        posterior = PointPosterior(self.encoder(x))
        return EncoderOutput(posterior) if return_dict else (posterior,)

    @apply_forward_hook
    def decode(
        self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> DecoderOutput | tuple[Tensor]:
        parts = z.split(1) if self.use_slicing and len(z) > 1 else [z]
        sample = torch.cat([self.decoder(part) for part in parts])
        return DecoderOutput(sample=sample) if return_dict else (sample,)

    def forward(self, sample: Tensor, return_dict: bool = True) -> DecoderOutput | tuple[Tensor]:
        return self.decode(self.encode(sample).latent_dist.mode(), return_dict=return_dict)

    def enable_slicing(self) -> None:
        """Decode one picture at a time: the memory of one, however long the batch."""
        self.use_slicing = True

    def disable_slicing(self) -> None:
        self.use_slicing = False

    def enable_tiling(self, use_tiling: bool = True) -> None:
        """Accepted and ignored: a megapixel picture takes a few hundred megabytes here without tiles."""

    def disable_tiling(self) -> None:
        """See enable_tiling."""
