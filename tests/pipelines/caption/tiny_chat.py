"""Tiny random Florence-2 and chat models in the real classes; pictures become a handful of tokens."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    BartConfig,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    LlamaConfig,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from tests.pipelines.caption.tiny import TOWER, bytes_tokenizer, livelier, save

TILES = {"image_size": 32, "patch_size": 8}
LLAMA = {**TOWER, "num_key_value_heads": 1, "max_position_embeddings": 400}
SMOL_TEMPLATE = (
    "{% for message in messages %}User:{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<end>\n{% endfor %}Assistant:"
)
QWEN_TEMPLATE = SMOL_TEMPLATE.replace("<image>", "<|vision_start|><|image_pad|><|vision_end|>")


def florence(path: Path) -> Path:
    """A picture of 64 pixels is five tokens."""
    torch.manual_seed(4)
    words = bytes_tokenizer("</s>", "<s>", "<image>", "<pad>")
    words.add_special_tokens({"bos_token": "<s>", "pad_token": "<pad>"})
    words.init_kwargs["extra_special_tokens"] = {"image_token": "<image>"}
    words = type(words)(tokenizer_object=words.backend_tokenizer, eos_token="</s>", bos_token="<s>", pad_token="<pad>",
                        extra_special_tokens={"image_token": "<image>"})  # fmt: skip
    text = BartConfig(vocab_size=len(words), d_model=16, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2,
                      decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=300,
                      bos_token_id=1, eos_token_id=0, pad_token_id=3, decoder_start_token_id=0,
                      forced_eos_token_id=None)  # fmt: skip
    vision = {"depths": [1, 1, 1, 1], "embed_dim": [8, 8, 8, 16], "num_heads": [1, 1, 1, 2], "window_size": 4,
              "num_groups": [1, 1, 1, 2], "projection_dim": 16, "drop_path_rate": 0.0}  # fmt: skip
    config = Florence2Config(text_config=text, vision_config=vision, image_token_id=2)
    model = livelier(Florence2ForConditionalGeneration(config).eval())
    model.generation_config.update(no_repeat_ngram_size=3, forced_bos_token_id=1, forced_eos_token_id=None)
    processor = CLIPImageProcessorPil(size={"height": 64, "width": 64}, do_center_crop=False, image_seq_length=5)
    return save(path, model, words, processor)


def smolvlm(path: Path) -> Path:
    """A square picture becomes four tiles and itself, each four tokens."""
    return _smol(path, SmolVLMConfig, SmolVLMForConditionalGeneration, SmolVLMImageProcessorPil)


def idefics3(path: Path) -> Path:
    return _smol(path, Idefics3Config, Idefics3ForConditionalGeneration, Idefics3ImageProcessorPil)


def qwen2_vl(path: Path) -> Path:
    vision = {"depth": 2, "embed_dim": 16, "hidden_size": 16, "num_heads": 2, "mlp_ratio": 2, "patch_size": 4}
    return _qwen(path, Qwen2VLConfig, Qwen2VLForConditionalGeneration, vision)


def qwen2_5_vl(path: Path) -> Path:
    vision = {"depth": 2, "hidden_size": 16, "out_hidden_size": 16, "num_heads": 2, "intermediate_size": 32,
              "patch_size": 4, "window_size": 16, "fullatt_block_indexes": [1]}  # fmt: skip
    return _qwen(path, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, vision)


def qwen3_vl(path: Path) -> Path:
    vision = {"depth": 2, "hidden_size": 16, "out_hidden_size": 16, "num_heads": 2, "intermediate_size": 32,
              "patch_size": 4, "num_position_embeddings": 64, "deepstack_visual_indexes": [0]}  # fmt: skip
    return _qwen(path, Qwen3VLConfig, Qwen3VLForConditionalGeneration, vision, head_dim=8)


def _smol(path: Path, config: type, model: type, processor: type) -> Path:
    torch.manual_seed(5)
    words = bytes_tokenizer("<end>", "<image>", "<fake_token_around_image>", "<global-img>")
    words.chat_template = SMOL_TEMPLATE
    text = LlamaConfig(**LLAMA, vocab_size=len(words), pad_token_id=0, bos_token_id=0, eos_token_id=0)
    made = config(text_config=text, vision_config={**TOWER, **TILES}, image_token_id=1, scale_factor=2)
    tiles = processor(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    return save(path, _ends(livelier(model(made).eval())), words, tiles)


def _qwen(path: Path, config: type, model: type, vision: dict, **text: object) -> Path:
    torch.manual_seed(6)
    words = bytes_tokenizer("<end>", "<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    words.chat_template = QWEN_TEMPLATE
    rope = {"rope_type": "default", "mrope_section": [2, 1, 1], "rope_theta": 10000.0}
    text = {**LLAMA, **text, "vocab_size": len(words), "rope_parameters": rope, "bos_token_id": 0, "eos_token_id": 0}
    tokens = {"image_token_id": 1, "video_token_id": 2, "vision_start_token_id": 3, "vision_end_token_id": 4}
    made = config(text_config=text, vision_config=vision, **tokens)
    pixels = Qwen2VLImageProcessorPil(patch_size=4, merge_size=2, size={"shortest_edge": 64, "longest_edge": 1024})
    return save(path, _ends(livelier(model(made).eval())), words, pixels)


def _ends(model: torch.nn.Module) -> torch.nn.Module:
    model.generation_config.update(eos_token_id=[0, 70, 71], pad_token_id=0, bos_token_id=0)
    return model
