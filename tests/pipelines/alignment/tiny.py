"""Tiny random CLIP-like models in the real classes and the layout that transformers saves."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    CLIPConfig,
    CLIPModel,
    PreTrainedTokenizerFast,
    Siglip2Config,
    Siglip2Model,
    Siglip2Tokenizer,
    SiglipConfig,
    SiglipModel,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

WINDOW = 12
TOWER = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def clip(path: Path) -> Path:
    """Pictures of 32 pixels in patches of 8, vectors of 12 numbers."""
    torch.manual_seed(1)
    words = tokenizer(bos="<s>")
    ends = {"bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id}
    config = CLIPConfig(
        text_config={**TOWER, **ends, "vocab_size": len(words), "max_position_embeddings": WINDOW},
        vision_config={**TOWER, "image_size": 32, "patch_size": 8}, projection_dim=12)  # fmt: skip
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return _save(path, CLIPModel(config), words, processor)


def siglip(path: Path) -> Path:
    torch.manual_seed(2)
    words = tokenizer()
    config = SiglipConfig(
        text_config={**TOWER, "vocab_size": len(words), "max_position_embeddings": WINDOW, "projection_size": 16},
        vision_config={**TOWER, "image_size": 32, "patch_size": 8})  # fmt: skip
    return _save(path, SiglipModel(config), words, SiglipImageProcessorPil(size={"height": 32, "width": 32}))


def siglip2(path: Path) -> Path:
    """Whatever shape a picture has, it gets at most 16 patches of 8 pixels."""
    torch.manual_seed(3)
    names = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    vocabulary = {name: i for i, name in enumerate([*names, *(f"<0x{byte:02X}>" for byte in range(256))])}
    words = Siglip2Tokenizer(vocab=vocabulary, merges=[], model_max_length=WINDOW, model_input_names=["input_ids"])
    config = Siglip2Config(
        text_config={**TOWER, "vocab_size": len(words), "max_position_embeddings": WINDOW, "projection_size": 16},
        vision_config={**TOWER, "num_patches": 16, "patch_size": 8})  # fmt: skip
    return _save(path, Siglip2Model(config), words, Siglip2ImageProcessorPil(patch_size=8, max_num_patches=16))


def tokenizer(bos: str | None = None) -> PreTrainedTokenizerFast:
    """Bytes as tokens, and the end of text; CLIP's also has a beginning."""
    names = ["<pad>", "</s>", *([bos] if bos else [])]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({token: i for i, token in enumerate([*names, *letters])}, [], unk_token=None))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    single = f"{bos} $A </s>" if bos else "$A </s>"
    numbered = [(name, i) for i, name in enumerate(names)]
    core.post_processor = processors.TemplateProcessing(single=single, special_tokens=numbered)
    inputs = ["input_ids", "attention_mask"] if bos else ["input_ids"]
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<pad>", eos_token="</s>", bos_token=bos,
                                   model_max_length=WINDOW, model_input_names=inputs)  # fmt: skip


def _save(path: Path, *parts: object) -> Path:
    for part in parts:
        part.save_pretrained(path)
    return path
