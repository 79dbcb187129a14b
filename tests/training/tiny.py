"""The denoiser's and the text tower's real classes at sizes that train in a second."""

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

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
