"""The single measurements of the evaluation, each of something that training never showed."""

import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from transformers import CLIPModel, CLIPTokenizer

from . import bundled, compose, prompts, scenes, sheets
from .captioner import to_pixels
from .colours import HUES, dominant, name_of
from .corpus import Corpus
from .dataset import STYLES as TRAINED
from .dataset import example
from .names import ALIASES, plural


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
    """Held-out single pictures and their things: styles kept back by hash, and styles never trained on."""
    unseen = np.flatnonzero(~corpus.training | ~np.isin(corpus.style, list(TRAINED)))
    rows = np.random.default_rng(seed).choice(unseen, min(number, len(unseen)), replace=False)
    drawn = [
        scenes.render(compose.portrait(int(corpus.thing[r]), str(corpus.style[r])), corpus) for r in rows
    ]  # a picture of an unseen style is a fair question only for a thing: its style is not asked
    return np.stack(drawn), corpus.thing[rows]


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


def captioning(folder: Path, corpus: Corpus, number: int) -> dict[str, float]:
    """Exact naming of single held-out pictures, of all things in new scenes, and the time for it."""
    found = bundled.load_captioner(folder)
    if not found:
        return {}
    model, words = found
    pictures, things = portraits(corpus, number)
    texts, ms = describe(model, words, pictures)
    named = [names_in(corpus.things[t], text) for t, text in zip(things, texts, strict=True)]
    composer = compose.Composer(corpus, TRAINED, {"count": 0.4, "pair": 0.5, "between": 0.1})
    drawn = [example(composer, i, seed=99) for i in range(number // 2)]
    told, _ = describe(model, words, np.stack([p for _, p in drawn]))
    whole = [
        all(names_in(corpus.things[t], text) for t in row["things"]) for (row, _), text in zip(drawn, told, strict=True)
    ]
    return {"caption_thing": float(np.mean(named)), "caption_scene": float(np.mean(whole)), "caption_ms": ms}


def colour_words(pipe, number: int) -> dict[str, float]:
    """Share of "a <colour> <thing>" pictures whose dominant hue has the colour's name."""
    things = (
        "car",
        "heart",
        "house",
        "fish",
        "butterfly",
        "t-shirt",
        "balloon",
        "flower",
        "ball",
        "mushroom",
        "bird",
        "dress",
    )
    asked = [(c, t) for t in things for c in HUES]
    chosen = [asked[i] for i in np.random.default_rng(3).permutation(len(asked))[:number]]
    pictures = sheets.paint(pipe, [f"a {c} {t}" for c, t in chosen], seed=1000)
    right = []
    for (colour, _), picture in zip(chosen, pictures, strict=True):
        right.append(name_of(dominant(picture, np.ones(picture.shape[:2], np.float32))[0]) == colour)
    return {"t2i_colour": float(np.mean(right))}


def speed(pipe) -> dict[str, float]:
    """Seconds for one picture of 20 steps with guidance, warm; the best of three, as other work only slows it."""
    sheets.paint(pipe, ["a cat"], steps=2)
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        sheets.paint(pipe, ["a cat"], steps=20)
        times.append(time.perf_counter() - begin)
    return {"picture_seconds": min(times)}


def judged(judge: CLIPModel, tokens: CLIPTokenizer, corpus: Corpus, pipe, number: int) -> dict[str, float]:
    """What only the judge can say: retrieval of generated singles against real ones, and words never seen."""
    composer = compose.Composer(corpus, TRAINED)
    draw = np.random.default_rng(17)
    rows = draw.choice(composer.portable["3d"], number, replace=False)
    things = [int(t) for t in corpus.thing[rows]]
    names = text_vectors(judge, tokens, [corpus.things[t].en for t in things])
    right = torch.arange(number)
    real = np.stack([scenes.render(compose.portrait(t, "3d"), corpus) for t in things])
    made = sheets.paint(pipe, [f"{corpus.things[t].en}, 3d" for t in things], seed=2000)
    hit = [((picture_vectors(judge, p) @ names.T).argmax(-1) == right).float().mean().item() for p in (made, real)]
    return {"t2i_r1_generated": hit[0], "t2i_r1_real": hit[1], "t2i_r1_of_real": hit[0] / max(hit[1], 1e-9)}


def unseen_words(judge: CLIPModel, tokens: CLIPTokenizer, corpus: Corpus, pipe) -> dict[str, float]:
    """Share of words outside every caption whose picture the judge takes for the thing meant, among 200 things."""
    names = [t.en for t in corpus.things]
    asked = [(word, name) for word, name in prompts.UNSEEN.items() if name in names]
    others = [n for n in names if n not in {name for _, name in asked}]
    pool = list(dict.fromkeys(name for _, name in asked)) + [
        str(n) for n in np.random.default_rng(4).permutation(others)
    ]
    vectors = text_vectors(judge, tokens, pool[:200])
    best = (picture_vectors(judge, sheets.paint(pipe, [w for w, _ in asked], seed=3000)) @ vectors.T).argmax(-1)
    return {"t2i_unseen_words": float(np.mean([pool[b] == name for b, (_, name) in zip(best, asked, strict=True)]))}
