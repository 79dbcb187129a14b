"""Measurements of Sprite CLIP and the captioner, each on something that training never showed."""

import io
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from transformers import CLIPModel, CLIPTokenizer

from pipelines.catalog.catalog import Catalog
from pipelines.requests import CaptionRequest
from pipelines.runtime.model_pool import ModelPool
from pipelines.training.corpus import scene_sampler, scenes
from pipelines.training.corpus.corpus import Corpus
from pipelines.training.corpus.names import ALIASES, plural
from pipelines.training.data.dataset import STYLES as TRAINED
from pipelines.training.data.dataset import example
from pipelines.training.models.captioner import to_pixels
from pipelines.training.release import checkpoints


@torch.inference_mode()
def text_vectors(clip: CLIPModel, tokens: CLIPTokenizer, texts: list[str]) -> torch.Tensor:
    """Unit vectors (N, 256) of texts."""
    ids = tokens(texts, padding=True, truncation=True, return_tensors="pt")["input_ids"]
    pooled = torch.cat([clip.text_model(input_ids=part).pooler_output for part in ids.split(256)])
    return F.normalize(clip.text_projection(pooled), dim=-1)


@torch.inference_mode()
def picture_vectors(clip: CLIPModel, pictures: np.ndarray) -> torch.Tensor:
    """Unit vectors (N, 256) of uint8 pictures (N, S, S, 3)."""
    pixels = F.interpolate(to_pixels(pictures), size=64, mode="area")
    pooled = torch.cat([clip.vision_model(pixel_values=part).pooler_output for part in pixels.split(128)])
    return F.normalize(clip.visual_projection(pooled), dim=-1)


def portraits(corpus: Corpus, number: int, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of single things in styles held out of training, uint8 (number, 256, 256, 3), and the things' numbers.

    Each held-out sprite comes large and on white first; where more are asked for, they come again, elsewhere, smaller
    and on other backgrounds.
    """
    draw = np.random.default_rng(seed)
    unseen = draw.permutation(np.flatnonzero(~corpus.training))
    if not len(unseen):
        raise ValueError("this corpus holds nothing out")
    rows = np.resize(unseen, number)
    drawn = []
    for turn, row in enumerate(rows):
        thing, style = int(corpus.thing[row]), str(corpus.style[row])
        again = turn >= len(unseen)
        drawn.append(
            scene_sampler.single(corpus, draw, thing, style, 0.0) if again else scene_sampler.portrait(thing, style)
        )
    return np.stack([scenes.render(scene, corpus) for scene in drawn]), corpus.thing[rows]


def retrieval(clip: CLIPModel, tokens: CLIPTokenizer, corpus: Corpus, number: int) -> dict[str, float]:
    """Picture to name among all things' names: the right one first, or among the first five."""
    pictures, things = portraits(corpus, number)
    names = text_vectors(clip, tokens, [t.en for t in corpus.things])
    order = (picture_vectors(clip, pictures) @ names.T).argsort(-1, descending=True)
    right = order == torch.from_numpy(things)[:, None]
    return {"clip_r1": right[:, 0].float().mean().item(), "clip_r5": right[:, :5].any(1).float().mean().item()}


def names_in(thing, text: str) -> bool:
    """Whether a caption names a thing: its name or one of its everyday names, singular or plural, in any case."""
    names = [thing.en, *ALIASES.get(thing.en, [])]
    said = f" {spelling(text)} "
    return any(f" {spelling(n)} " in said for name in names for n in (name, plural(name)))


def spelling(text: str) -> str:
    """Lower-case words, one space apart, without punctuation."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


@torch.inference_mode()
def describe(model, words, pictures: np.ndarray, batch: int = 8) -> tuple[list[str], float]:
    """Captions of uint8 pictures, and milliseconds a picture."""
    pixels = F.interpolate(to_pixels(pictures), size=64, mode="area")
    begin, texts = time.perf_counter(), []
    for part in pixels.split(batch):
        ids = model.generate(pixel_values=part, max_new_tokens=20, num_beams=1, do_sample=False)
        texts += words.batch_decode(ids, skip_special_tokens=True)
    return texts, 1000 * (time.perf_counter() - begin) / len(pictures)


def offered(models: Path, pictures: np.ndarray, batch: int = 8) -> list[str]:
    """What the studio offers first for uint8 pictures: of three candidates, those of the alignment among them, the one
    that agrees best with the picture."""
    shelf, uploads = ModelPool(Catalog([models]), "cpu"), [png(picture) for picture in pictures]
    requests = [CaptionRequest(picture=sha256(upload).hexdigest(), seed=1) for upload in uploads]
    there = {request.picture: upload for request, upload in zip(requests, uploads, strict=True)}
    pipeline, texts = shelf.pipeline(requests[0]), []
    for part in range(0, len(requests), batch):
        states = [pipeline.prepare(request, there) for request in requests[part : part + batch]]
        while working := [state for state in states if state.steps_left]:
            key = pipeline.batch_key(working[0])
            pipeline.step([state for state in working if pipeline.batch_key(state) == key])
        texts += [str(pipeline.finish(state).info["caption"]) for state in states]
    return texts


def png(picture: np.ndarray) -> bytes:
    """A file of a uint8 picture (H, W, 3)."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def captioning(folder: Path, models: Path, corpus: Corpus, number: int) -> dict[str, float]:
    """Exact naming of single held-out pictures, of all things in held-out compositions, and the captioner's time."""
    found = checkpoints.load_captioner(folder, models)
    if not found:
        return {}
    pictures, things = portraits(corpus, number)
    alone, ms = describe(*found, pictures)
    first, written = (
        [names_in(corpus.things[t], text) for t, text in zip(things, texts, strict=True)]
        for texts in (offered(models, pictures), alone)
    )
    # A count shows one thing only: held-out compositions are pairs and rows of things never shown together.
    composer = scene_sampler.Composer(corpus, TRAINED, {"pair": 0.8, "between": 0.2}, held_out=True)
    drawn = [example(composer, i, seed=99) for i in range(number // 2)]
    told = offered(models, np.stack([picture for _, picture in drawn]))
    whole = [
        all(names_in(corpus.things[t], text) for t in row["things"]) for (row, _), text in zip(drawn, told, strict=True)
    ]
    return {"caption_thing": float(np.mean(first)), "caption_thing_written": float(np.mean(written)),
            "caption_scene": float(np.mean(whole)), "caption_ms": ms}  # fmt: skip
