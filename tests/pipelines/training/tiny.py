"""The denoiser's, the text tower's and the autoencoder's real classes at sizes that train in a second."""

from collections.abc import Callable

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from pipelines.image.model.autoencoder import SpriteAutoencoder

WORDS, LENGTH, WIDE = 40, 8, 16


def unet(seed: int = 0) -> UNet2DConditionModel:
    torch.manual_seed(seed)
    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, block_out_channels=(16, 32), layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDE, attention_head_dim=2, norm_num_groups=8,
    )  # fmt: skip


def text(seed: int = 0, length: int = LENGTH) -> CLIPTextModel:
    torch.manual_seed(seed)
    return CLIPTextModel(
        CLIPTextConfig(vocab_size=WORDS, hidden_size=WIDE, intermediate_size=32, num_hidden_layers=1,
                       num_attention_heads=2, max_position_embeddings=length, bos_token_id=38, eos_token_id=39)
    ).eval()  # fmt: skip


def autoencoder(seed: int = 1) -> SpriteAutoencoder:
    """Factor 16, eight channels."""
    torch.manual_seed(seed)
    return SpriteAutoencoder(
        latent_channels=8, block_out_channels=(3, 12, 16, 16, 16), encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1),
    ).eval()  # fmt: skip


def learnt(loss: Callable, lesson: object, optimizer: torch.optim.Optimizer, steps: int) -> tuple[list[float], int]:
    """The losses of so many steps on one lesson, and how many pictures or texts the last one saw."""
    losses = []
    for _ in range(steps):
        value, seen = loss(lesson, torch.Generator().manual_seed(1))
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(value.item())
    return losses, seen
