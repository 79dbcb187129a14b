"""The bundled folders open with diffusers' and transformers' own classes, offline, and fit together."""

import json

import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image
from transformers import BlipForConditionalGeneration, BlipProcessor, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from pipelines.image.model import autoencoder  # noqa: F401  diffusers finds the class by its imported module
from pipelines.training.release.checkpoints import MODELS


@pytest.fixture(scope="module")
def pipe() -> StableDiffusionPipeline:
    pipe = StableDiffusionPipeline.from_pretrained(MODELS / "sprite", local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def test_the_picture_model_draws_256_pixels_in_float32(pipe):
    picture = pipe("a cat", num_inference_steps=2, generator=torch.Generator().manual_seed(1)).images[0]
    assert picture.size == (256, 256)
    assert {p.dtype for m in (pipe.unet, pipe.vae, pipe.text_encoder) for p in m.parameters()} == {torch.float32}


def test_it_goes_on_from_a_picture(pipe):
    again = StableDiffusionImg2ImgPipeline(**pipe.components, requires_safety_checker=False)
    again.set_progress_bar_config(disable=True)
    start = Image.new("RGB", (256, 256), "red")
    assert again("an apple", image=start, strength=0.5, num_inference_steps=2).images[0].size == (256, 256)


def test_clip_and_the_picture_model_share_the_tokenizer_alone(pipe):
    clip = CLIPModel.from_pretrained(MODELS / "sprite-clip", local_files_only=True)
    tokens = CLIPTokenizer.from_pretrained(MODELS / "sprite-clip", local_files_only=True)
    text = "two red apples, 红色的苹果"
    ids = tokens(text, padding="max_length", return_tensors="pt")["input_ids"]
    assert torch.equal(ids, pipe.tokenizer(text, padding="max_length", return_tensors="pt")["input_ids"])
    with torch.inference_mode():
        ours, theirs = clip.text_model(ids)[0], pipe.text_encoder(ids)[0]
        assert ours.shape == theirs.shape
        assert not torch.allclose(ours, theirs, atol=0.1)  # the denoiser's own has learnt where things lie
        pixels = CLIPImageProcessorPil.from_pretrained(MODELS / "sprite-clip")(
            Image.new("RGB", (300, 200)), return_tensors="pt"
        )
        assert clip.get_image_features(**pixels).pooler_output.shape == (1, 256)


def test_the_captioner_writes_words():
    model = BlipForConditionalGeneration.from_pretrained(MODELS / "sprite-captioner", local_files_only=True).eval()
    processor = BlipProcessor.from_pretrained(MODELS / "sprite-captioner", local_files_only=True, backend="pil")
    inputs = processor(images=Image.new("RGB", (256, 256), "white"), return_tensors="pt")
    ids = model.generate(**inputs, max_new_tokens=8)
    assert isinstance(processor.decode(ids[0], skip_special_tokens=True), str)


def test_no_folder_needs_pickle_or_remote_code():
    files = [p for p in MODELS.rglob("*") if p.is_file()]
    assert not [p for p in files if p.suffix in (".bin", ".pt", ".pkl", ".ckpt", ".py")]
    index = json.loads((MODELS / "sprite" / "model_index.json").read_text())
    assert index["vae"] == ["pipelines.image.model.autoencoder", "SpriteAutoencoder"]
    assert sum(p.stat().st_size for p in files) < 80e6
