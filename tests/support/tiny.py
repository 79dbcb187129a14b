"""Tiny random models in the real classes and the real folder layout, for tests that must be quick.

Every function saves one model under `path` and gives the folder back. Pictures are 64 x 64 pixels, latents 8 x 8.
Weights are drawn from a fixed seed, so two calls give equal models.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, LCMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from pipelines.catalog.folders import FEW_STEP
from pipelines.image.model.lora import DOWN, UP

WINDOW = 16
MERGES = ["t h", "th e</w>", "a n", "r e", "r e</w>", "a t</w>", "c at</w>", "re d</w>"]


def tiny_sd(path: Path, *, prediction_type: str = "epsilon", vae: str = "kl", **unet: object) -> Path:
    """Stable Diffusion 1.x: one text encoder, UNet, AutoencoderKL (or "tiny": AutoencoderTiny)."""
    torch.manual_seed(1)
    text = CLIPTextModel(_text_config(16))
    parts = {"text_encoder": text, "unet": _unet(cross_attention_dim=16, **unet), "vae": _vae(vae)}
    return _save(path, "StableDiffusionPipeline", parts, _scheduler(prediction_type=prediction_type))


def tiny_sdxl(path: Path, *, prediction_type: str = "epsilon", **unet: object) -> Path:
    """SDXL: two text encoders, pooled embedding and size conditioning."""
    torch.manual_seed(2)
    second = CLIPTextModelWithProjection(_text_config(24, projection_dim=20))
    sizes = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8,
             "projection_class_embeddings_input_dim": 6 * 8 + 20}  # fmt: skip
    parts = {"text_encoder": CLIPTextModel(_text_config(16)), "text_encoder_2": second, "vae": _vae("kl")}
    parts["unet"] = _unet(cross_attention_dim=40, **sizes, **unet)
    return _save(path, "StableDiffusionXLPipeline", parts, _scheduler(prediction_type=prediction_type))


def tiny_lcm(path: Path) -> Path:
    """A latent consistency model: the guidance scale is an embedding, so one row a picture; LCM sampler."""
    tiny_sd(path, time_cond_proj_dim=16)
    LCMScheduler.from_config(_scheduler().config).save_pretrained(path / "scheduler")
    return _index(path, "LatentConsistencyModelPipeline", {"scheduler": ["diffusers", "LCMScheduler"]})


def tiny_few_step(model: Path) -> Path:
    """Low-rank changes of one attention beside a saved model: its few-step variant."""
    name = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    rows, columns = UNet2DConditionModel.from_pretrained(model / "unet").get_submodule(name).weight.shape
    torch.manual_seed(3)
    changes = {f"unet.{name}{DOWN}": torch.randn(2, columns), f"unet.{name}{UP}": torch.randn(rows, 2)}
    save_file(changes, model / FEW_STEP)
    return model


def tiny_turbo(path: Path) -> Path:
    """A distilled model in the manner of SD-Turbo: trailing timesteps, no guidance, one to four steps."""
    tiny_sd(path)
    _scheduler(timestep_spacing="trailing").save_pretrained(path / "scheduler")
    return path


def tiny_inpaint(path: Path, *, xl: bool = False) -> Path:
    """A model that sees mask and masked picture beside its latents."""
    (tiny_sdxl if xl else tiny_sd)(path, in_channels=9)
    return _index(path, "StableDiffusionXLInpaintPipeline" if xl else "StableDiffusionInpaintPipeline", {})


def tiny_instruct(path: Path, *, xl: bool = False) -> Path:
    """A model that edits by instruction: it sees the picture's latents beside its own."""
    (tiny_sdxl if xl else tiny_sd)(path, in_channels=8)
    name = "StableDiffusionXLInstructPix2PixPipeline" if xl else "StableDiffusionInstructPix2PixPipeline"
    return _index(path, name, {})


THREE_LEVELS = {  # of SDXL: no attention in the first
    "block_out_channels": (8, 8, 16), "layers_per_block": 2,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
}  # fmt: skip


def tiny_adapter(model: Path, *, plus: bool = False) -> Path:
    """An IP-Adapter for the model in that folder, with its image encoder; plus: the kind that sees patches."""
    torch.manual_seed(5)
    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    eyes = CLIPVisionConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
                            image_size=32, patch_size=8, projection_dim=12)  # fmt: skip
    CLIPVisionModelWithProjection(eyes).eval().save_pretrained(model / "ip-adapter/image_encoder")
    wide = unet.config.cross_attention_dim
    tensors = _resampler(wide) if plus else _projection(wide)
    names = [name.removesuffix(".processor") for name in unet.attn_processors]
    modules = dict(unet.named_modules())
    for number, name in enumerate(name for name in names if name.endswith("attn2")):
        for key in ("k", "v"):
            like = getattr(modules[name], f"to_{key}").weight
            tensors[f"ip_adapter.{2 * number + 1}.to_{key}_ip.weight"] = torch.randn_like(like) * 0.5
    save_file(tensors, model / "ip-adapter/ip.safetensors")
    return model


def _projection(wide: int) -> dict[str, torch.Tensor]:
    shapes = {"proj.weight": (4 * wide, 12), "proj.bias": (4 * wide,), "norm.weight": (wide,), "norm.bias": (wide,)}
    return {f"image_proj.{name}": torch.randn(shape) for name, shape in shapes.items()}


def _resampler(wide: int) -> dict[str, torch.Tensor]:
    """IP-Adapter Plus, one layer of one head of 64."""
    shapes = {"latents": (1, 4, 16), "proj_in.weight": (16, 16), "proj_in.bias": (16,), "proj_out.weight": (wide, 16),
              "proj_out.bias": (wide,), "norm_out.weight": (wide,), "norm_out.bias": (wide,)}  # fmt: skip
    for layer in range(4):
        inside = {"0.norm1.weight": (16,), "0.norm1.bias": (16,), "0.norm2.weight": (16,), "0.norm2.bias": (16,),
                  "0.to_q.weight": (64, 16), "0.to_kv.weight": (128, 16), "0.to_out.weight": (16, 64),
                  "1.0.weight": (16,), "1.0.bias": (16,), "1.1.weight": (64, 16), "1.3.weight": (16, 64)}  # fmt: skip
        shapes |= {f"layers.{layer}.{name}": shape for name, shape in inside.items()}
    return {f"image_proj.{name}": torch.randn(shape) * 0.5 for name, shape in shapes.items()}


def tiny_v(path: Path) -> Path:
    """v-prediction, with its own betas, as the bundled model has."""
    tiny_sd(path, prediction_type="v_prediction")
    betas = torch.linspace(0.02, 0.12, 1000).square().tolist()
    _scheduler(prediction_type="v_prediction", trained_betas=betas).save_pretrained(path / "scheduler")
    return path


def _unet(**settings: object) -> UNet2DConditionModel:
    defaults = {"sample_size": 8, "in_channels": 4, "out_channels": 4, "block_out_channels": (8, 16),
                "layers_per_block": 1, "attention_head_dim": 4, "norm_num_groups": 4,
                "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
                "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D")}  # fmt: skip
    return UNet2DConditionModel(**(defaults | settings)).eval()


def _vae(kind: str) -> AutoencoderKL | AutoencoderTiny:
    if kind == "tiny":
        return AutoencoderTiny(encoder_block_out_channels=(8,) * 4, decoder_block_out_channels=(8,) * 4,
                               num_encoder_blocks=(1,) * 4, num_decoder_blocks=(1,) * 4).eval()  # fmt: skip
    return AutoencoderKL(block_out_channels=(4, 8, 8, 8), norm_num_groups=4, latent_channels=4, sample_size=64,
                         down_block_types=("DownEncoderBlock2D",) * 4,
                         up_block_types=("UpDecoderBlock2D",) * 4).eval()  # fmt: skip


def _text_config(width: int, **settings: object) -> CLIPTextConfig:
    words = len(_vocabulary())
    return CLIPTextConfig(vocab_size=words, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2,
                          num_attention_heads=4, max_position_embeddings=WINDOW, bos_token_id=words - 2,
                          eos_token_id=words - 1, pad_token_id=words - 1, **settings)  # fmt: skip


def _scheduler(**settings: object) -> DDIMScheduler:
    shape = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    return DDIMScheduler(**shape, clip_sample=False, set_alpha_to_one=False, steps_offset=1, **settings)


def _vocabulary() -> dict[str, int]:
    """Byte-level BPE as CLIP has it: 256 bytes, the same at a word's end, the merges, start and end of text."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    merged = [merge.replace(" ", "") for merge in MERGES]
    words = [*letters, *(letter + "</w>" for letter in letters), *merged, "<|startoftext|>", "<|endoftext|>"]
    return {word: i for i, word in enumerate(dict.fromkeys(words))}


def _tokenizer(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps(_vocabulary()))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES]) + "\n")
    names = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": WINDOW, **names, "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def _save(path: Path, name: str, parts: dict, scheduler: DDIMScheduler) -> Path:
    path = Path(path)
    for part, model in parts.items():
        model.save_pretrained(path / part)
    scheduler.save_pretrained(path / "scheduler")
    for part in [part for part in parts if part.startswith("text_encoder")]:
        _tokenizer(path / part.replace("text_encoder", "tokenizer"))
    from_library = {"AutoencoderKL": "diffusers", "AutoencoderTiny": "diffusers", "UNet2DConditionModel": "diffusers"}
    entries = {part: [from_library.get(type(model).__name__, "transformers"), type(model).__name__]
               for part, model in parts.items()}  # fmt: skip
    entries |= {part.replace("text_encoder", "tokenizer"): ["transformers", "CLIPTokenizer"]
                for part in parts if part.startswith("text_encoder")}  # fmt: skip
    entries["scheduler"] = ["diffusers", "DDIMScheduler"]
    return _index(path, name, entries)


def _index(path: Path, name: str, entries: dict) -> Path:
    file = path / "model_index.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    absent = {"safety_checker": [None, None], "feature_extractor": [None, None]}
    extra = absent | {"requires_safety_checker": False} if "XL" not in name else {"force_zeros_for_empty_prompt": True}
    file.write_text(
        json.dumps(known | extra | entries | {"_class_name": name, "_diffusers_version": "0.42.1"}, indent=1)
    )
    return path
