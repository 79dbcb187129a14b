"""Tiny random captioners in the real classes and the layout that transformers saves."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    BertTokenizerFast,
    BlipConfig,
    BlipForConditionalGeneration,
    GenerationConfig,
    GitConfig,
    GitForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    VisionEncoderDecoderModel,
    ViTConfig,
    ViTModel,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

TOWER = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
SQUARE = {"image_size": 32, "patch_size": 8}
WORDS = (
    "a the cat dog bird car house tree red green blue big small on in under with and sitting running two three",
    "of sky grass water sun moon star fish boat hat",
)


def blip(path: Path) -> Path:
    """Writes at most 47 tokens."""
    torch.manual_seed(1)
    words = bert()
    text = {**TOWER, "vocab_size": len(words), "encoder_hidden_size": 16, "max_position_embeddings": 48,
            "bos_token_id": 2, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0}  # fmt: skip
    config = BlipConfig(text_config=text, vision_config={**TOWER, **SQUARE})
    model = livelier(BlipForConditionalGeneration(config).eval())
    return save(path, model, words, BlipImageProcessorPil(size={"height": 32, "width": 32}))


def git(path: Path) -> Path:
    torch.manual_seed(2)
    words = bert()
    config = GitConfig(vision_config={**TOWER, **SQUARE}, **TOWER, vocab_size=len(words), max_position_embeddings=48,
                       bos_token_id=2, eos_token_id=3, pad_token_id=0)  # fmt: skip
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return save(path, livelier(GitForCausalLM(config).eval()), words, processor)


def vit_gpt2(path: Path) -> Path:
    """The two halves have different widths, as a projection lies between them then."""
    torch.manual_seed(3)
    words = bytes_tokenizer("<|endoftext|>")
    encoder = ViTModel(ViTConfig(**TOWER, **SQUARE), add_pooling_layer=False)
    decoder = GPT2LMHeadModel(GPT2Config(n_embd=12, n_layer=2, n_head=2, n_positions=48, vocab_size=len(words),
                                         add_cross_attention=True, bos_token_id=0, eos_token_id=0))  # fmt: skip
    model = VisionEncoderDecoderModel(encoder=encoder, decoder=decoder).eval()
    rules = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0, "decoder_start_token_id": 0}
    model.generation_config = GenerationConfig(**rules)
    return save(path, livelier(model), words, ViTImageProcessorPil(size={"height": 32, "width": 32}))


def livelier(model: torch.nn.Module) -> torch.nn.Module:
    """Random weights so large that what is written depends on the picture and does not only repeat one word."""
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1:
                torch.nn.init.normal_(weights, std=0.5 if "embed" in name or "wte" in name else 0.35)
    return model


def bert() -> BertTokenizerFast:
    """Words as tokens."""
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *" ".join(WORDS).split(), ",", "."]
    return BertTokenizerFast(vocab={word: i for i, word in enumerate(known)}, do_lower_case=True, model_max_length=48)


def bytes_tokenizer(end: str, *special: str) -> PreTrainedTokenizerFast:
    """Bytes as tokens. `end` is token 0; `special` are the next ones."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    known = {token: i for i, token in enumerate([end, *special, *letters])}
    core = Tokenizer(models.BPE(known, [], unk_token=None))
    core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token=end, pad_token=end, bos_token=end,
                                    additional_special_tokens=list(special))  # fmt: skip


def save(path: Path, *parts: object, **files: dict) -> Path:
    for part in parts:
        part.save_pretrained(path)
    for name, content in files.items():
        (path / f"{name}.json").write_text(json.dumps(content))
    return path
