"""The models as they stand: the weights in assets/models, overlaid by newer checkpoints in the cache folder."""

import json
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import BertTokenizerFast, BlipForConditionalGeneration, CLIPModel, CLIPTextModel, CLIPTokenizer

from pipelines.image.model.autoencoder import SpriteAutoencoder
from pipelines.image.model.lora import merge
from pipelines.training.data import tokenizer
from pipelines.training.models import captioner
from pipelines.training.models.alignment import clip, conv_teacher, layout_text, text_alignment
from pipelines.training.models.alignment import vision as vision_tower
from pipelines.training.models.image import denoiser, few_step, image_prompt
from pipelines.training.release import publish

MODELS = Path(__file__).resolve().parents[3] / "assets" / "models"
FINAL = "autoencoder-final.safetensors"
BUDGET = 80e6  # bytes of all bundled weights together


def newer(model: nn.Module, run: Path) -> bool:
    """Overlay the averaged weights of a run's checkpoint; False when there is none."""
    if not (run / "state.safetensors").exists():
        return False
    model.load_state_dict(publish.averaged(run), strict=False)
    return True


def load_tokens(folder: Path, models: Path = MODELS) -> CLIPTokenizer:
    """The tokenizer: built in the cache, else the bundled one."""
    if (folder / "tokenizer" / "vocab.json").exists():
        return tokenizer.open_tokenizer(folder / "tokenizer")
    return CLIPTokenizer.from_pretrained(models / "sprite-clip")


def load_clip(folder: Path, models: Path = MODELS) -> CLIPModel:
    """Sprite CLIP."""
    model = clip.fresh(load_tokens(folder, models))
    if (models / "sprite-clip" / "model.safetensors").exists():
        weights = load_file(models / "sprite-clip" / "model.safetensors")
        model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
    newer(clip.TextStudent(model), folder / "text")
    newer(vision_tower.Alignment(model), folder / "vision")
    return model.requires_grad_(False).eval()


def load_eyes(folder: Path, name: str = "eyes") -> conv_teacher.Seeing | None:
    """Convolutional eyes with the weights of the run `name`; None when there is none. They are never published."""
    if not (folder / name / "state.safetensors").exists():
        return None
    weights = publish.averaged(folder / name)
    student = conv_teacher.Seeing(len(weights["classes.weight"]), len(weights["visual_projection.weight"]))
    student.load_state_dict(weights)
    return student.to(memory_format=torch.channels_last).requires_grad_(False).eval()


def load_judge(folder: Path, models: Path = MODELS) -> CLIPModel | None:
    """Sprite CLIP's text tower with the judge's eyes; None when there is no judge."""
    judge = load_eyes(folder, "judge")
    return judge and judge.lend(load_clip(folder, models))


def text_encoder(model: CLIPModel) -> CLIPTextModel:
    """The text tower alone, as Stable Diffusion's pipelines take it."""
    shape = model.config.text_config
    shape._attn_implementation = "sdpa"
    text = CLIPTextModel(shape)
    text.load_state_dict(model.text_model.state_dict())
    return text.eval()


def load_prompts(folder: Path, whole: CLIPModel, models: Path = MODELS, words: bool = True) -> CLIPTextModel:
    """The denoiser's text tower: Sprite CLIP's, taught where things lie, then (`words`) more words; locked."""
    text, stored = text_encoder(whole), models / "sprite" / "text_encoder"
    if stored.exists():
        text = CLIPTextModel.from_pretrained(stored, torch_dtype=torch.float32)
    newer(layout_text.Layout(text), folder / "layout")
    if words:
        newer(text_alignment.Wording(text), folder / "wording")
    return text.requires_grad_(False).eval()


def load_autoencoder(folder: Path, models: Path = MODELS) -> SpriteAutoencoder:
    """The autoencoder with its final encoder and the newest decoder."""
    model = SpriteAutoencoder()
    if (folder / FINAL).exists():
        model.load_state_dict(load_file(folder / FINAL))
    elif (models / "sprite" / "vae").exists():
        model = SpriteAutoencoder.from_pretrained(models / "sprite" / "vae")
    newer(model, folder / "decoder")
    return model.eval()


def save_final(folder: Path, model: SpriteAutoencoder) -> None:
    """Keep the standardised autoencoder: from here on its encoder never changes, as the denoiser knows its latents."""
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / FINAL)


def load_unet(folder: Path, models: Path = MODELS) -> UNet2DConditionModel:
    """The denoiser."""
    model = denoiser.fresh()
    if not newer(model, folder / "unet") and (models / "sprite" / "unet").exists():
        model = UNet2DConditionModel.from_pretrained(models / "sprite" / "unet", torch_dtype=torch.float32)
    return model.eval()


def load_quick(folder: Path, models: Path = MODELS) -> UNet2DConditionModel:
    """The denoiser with its few-step changes, where there are any."""
    unet, path = load_unet(folder, models), models / "sprite" / few_step.FILE
    if (folder / "few-step" / "state.safetensors").exists():
        path = folder / "few-step" / few_step.FILE
        few_step.export(path.parent, unet, path)
    return merge(unet, path).eval() if path.exists() else unet


def load_captioner(
    folder: Path, models: Path = MODELS
) -> tuple[BlipForConditionalGeneration, BertTokenizerFast] | None:
    """The captioner and its words; None when none was trained yet."""
    if (folder / "captioner" / "state.safetensors").exists():
        words = captioner.tokenizer(json.loads((folder / "captioner" / "words.json").read_text()))
        model = captioner.fresh(len(words))
        newer(model, folder / "captioner")
        return model.eval(), words
    if not (models / "sprite-captioner" / "model.safetensors").exists():
        return None
    words = BertTokenizerFast.from_pretrained(models / "sprite-captioner")
    return BlipForConditionalGeneration.from_pretrained(models / "sprite-captioner").eval(), words


def publish_all(folder: Path, models: Path = MODELS) -> None:
    """Write every model that exists to `models`, each folder replaced at once."""
    tokens, whole = load_tokens(folder, models), load_clip(folder, models)
    text = load_prompts(folder, whole, models)
    unet = load_unet(folder, models)
    same = () if (folder / "unet" / "state.safetensors").exists() else (few_step.FILE,)
    publish.image_model(models / "sprite", text, tokens, unet, load_autoencoder(folder, models), same)
    publish_extras(folder, models / "sprite", unet)
    publish.clip_model(models / "sprite-clip", whole, tokens)
    if found := load_captioner(folder, models):
        publish.captioner_model(models / "sprite-captioner", *found)
    size = sum(path.stat().st_size for path in models.rglob("*") if path.is_file())
    print(f"{models.name}: {size / 1e6:.1f} MB of {BUDGET / 1e6:.0f}{'' if size < BUDGET else ': TOO MUCH to commit'}")


def publish_extras(folder: Path, target: Path, unet: UNet2DConditionModel) -> None:
    """Few-step changes and image-prompt adapter beside the denoiser. Changes fit the very weights they were trained
    on and no others, so a denoiser that went on learning leaves them behind."""
    few, own = (folder / name / "state.safetensors" for name in ("few-step", "unet"))
    if few.exists() and not (own.exists() and own.stat().st_mtime > few.stat().st_mtime):
        few_step.export(few.parent, unet, target / few_step.FILE)
    if (folder / "image-prompt" / "state.safetensors").exists():
        image_prompt.export(folder / "image-prompt", unet, clip.WIDTH, target / image_prompt.FILE)
