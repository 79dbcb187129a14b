"""Measurements of generated pictures: what is asked for against what is there.

Colours and counts are measured in the pixels; things are told by the judge, a CLIP that generation never saw. Real
pictures of the same captions, measured the same way, are the ceiling.
"""

import time

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPModel, CLIPTokenizer

from pipelines.caption.checking import segments
from pipelines.training.corpus import scene_sampler, scenes
from pipelines.training.corpus.colours import HUES, colour_of
from pipelines.training.corpus.corpus import Corpus
from pipelines.training.corpus.names import plural, with_article
from pipelines.training.data.dataset import STYLES as TRAINED
from pipelines.training.evaluation import contact_sheet, prompts
from pipelines.training.evaluation.model_metrics import picture_vectors, text_vectors

COLOURABLE = ("car", "heart", "house", "fish", "butterfly", "t-shirt", "balloon", "flower", "ball", "mushroom", "bird",
              "dress")  # fmt: skip
COUNTS = {1: "a", 2: "two", 3: "three"}
POOL = 200


def colour_words(pipe: StableDiffusionPipeline, number: int) -> dict[str, float]:
    """Share of "a <colour> <thing>" pictures whose main colour has that name."""
    asked = [(c, t) for t in COLOURABLE for c in HUES]
    chosen = [asked[i] for i in np.random.default_rng(3).permutation(len(asked))[:number]]
    pictures = contact_sheet.paint(pipe, [f"a {c} {t}" for c, t in chosen], seed=1000)
    ones = np.ones(pictures.shape[1:3], np.float32)
    right = [colour_of(picture, ones) == colour for (colour, _), picture in zip(chosen, pictures, strict=True)]
    return {"t2i_colour": float(np.mean(right))}


def parts(picture: np.ndarray) -> int:
    """How many separate things a picture (S, S, 3) uint8 shows: connected parts that differ from its border."""
    return len(segments.parts(picture[::4, ::4]))


def countable(corpus: Corpus, number: int) -> list[int]:
    """Things whose real picture is one part: others (cherries, a face with tears) have no count that pixels tell."""
    composer = scene_sampler.Composer(corpus, TRAINED)
    rows = np.random.default_rng(23).permutation(composer.portable["3d"])
    found = (int(corpus.thing[r]) for r in rows)
    one = (t for t in found if parts(scenes.render(scene_sampler.portrait(t, "3d"), corpus)) == 1)
    return [t for t, _ in zip(one, range(number), strict=False)]


def counting(pipe: StableDiffusionPipeline, corpus: Corpus, number: int) -> dict[str, float]:
    """Share of "a cat", "two cats", "three cats" with that many parts; `number` pictures in all."""
    things = countable(corpus, -(-number // len(COUNTS)))
    asked = [(n, corpus.things[t].en) for t in things for n in COUNTS][:number]
    texts = [f"{with_article(name) if n == 1 else f'{COUNTS[n]} {plural(name)}'}, 3d" for n, name in asked]
    drawn = contact_sheet.paint(pipe, texts, seed=4000)
    return {"t2i_count": float(np.mean([parts(p) == n for p, (n, _) in zip(drawn, asked, strict=True)]))}


def halves(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left and right half of pictures (N, S, S, 3), each in the middle of a square whose sides repeat its edge."""
    side = pictures.shape[2] // 2
    wide = ((0, 0), (0, 0), (side // 2, side - side // 2), (0, 0))
    left, right = (np.pad(part, wide, mode="edge") for part in (pictures[:, :, :side], pictures[:, :, side:]))
    return left, right


def told_apart(judge: CLIPModel, first: torch.Tensor, second: torch.Tensor, pictures: np.ndarray) -> np.ndarray:
    """Whether in each picture the left half looks more like `first` (N, D) and the right more like `second`."""
    left, right = (picture_vectors(judge, half) for half in halves(pictures))
    lead = (left * (first - second)).sum(-1), (right * (second - first)).sum(-1)
    return ((lead[0] > 0) & (lead[1] > 0)).numpy()


def relations(
    judge: CLIPModel, tokens: CLIPTokenizer, corpus: Corpus, pipe: StableDiffusionPipeline, number: int
) -> dict[str, float]:
    """Share of "a X to the left of a Y" where the judge finds X left and Y right; chance is a quarter."""
    composer = scene_sampler.Composer(corpus, {"3d": 1.0}, {"pair": 1.0}, held_out=True)
    draw, found = np.random.default_rng(29), []
    while len(found) < number:
        scene = composer.scene(draw)
        if scene.relation == "left" and not any(p.colour for p in scene.placed):
            found.append(scene)
    names = [[corpus.things[p.thing].en for p in scene.placed] for scene in found]
    first, second = (text_vectors(judge, tokens, list(column)) for column in zip(*names, strict=True))
    made = contact_sheet.paint(
        pipe, [f"{with_article(a)} to the left of {with_article(b)}, 3d" for a, b in names], seed=5000
    )
    real = np.stack([scenes.render(scene, corpus) for scene in found])
    share = [float(told_apart(judge, first, second, pictures).mean()) for pictures in (made, real)]
    return {"t2i_relation": share[0], "t2i_relation_real": share[1]}


def retrieval(
    judge: CLIPModel, tokens: CLIPTokenizer, corpus: Corpus, pipe: StableDiffusionPipeline, number: int
) -> dict[str, float]:
    """Generated single things told by the judge among `POOL` names, against real pictures of them."""
    composer = scene_sampler.Composer(corpus, TRAINED)
    rows = np.random.default_rng(17).choice(composer.portable["3d"], POOL, replace=False)
    things = [int(t) for t in corpus.thing[rows]]
    names = text_vectors(judge, tokens, [corpus.things[t].en for t in things])
    asked, right = things[:number], torch.arange(min(number, POOL))
    real = np.stack([scenes.render(scene_sampler.portrait(t, "3d"), corpus) for t in asked])
    made = contact_sheet.paint(pipe, [f"{corpus.things[t].en}, 3d" for t in asked], seed=2000)
    hit = [((picture_vectors(judge, p) @ names.T).argmax(-1) == right).float().mean().item() for p in (made, real)]
    # Of a judge that knows no real picture either nothing can be said.
    share = {"t2i_r1_of_real": hit[0] / hit[1]} if hit[1] > 0.1 else {}
    return {"t2i_r1_generated": hit[0], "t2i_r1_real": hit[1], **share}


def unseen_words(
    judge: CLIPModel, tokens: CLIPTokenizer, corpus: Corpus, pipe: StableDiffusionPipeline, number: int
) -> dict[str, float]:
    """Share of words outside every caption whose picture the judge takes for the thing meant, among `POOL` things."""
    names = [t.en for t in corpus.things]
    asked = [(word, name) for word, name in prompts.UNSEEN.items() if name in names][:number]
    meant = list(dict.fromkeys(name for _, name in asked))
    rivals = {f"{name} face" for name in meant} | set(meant)  # a cat's face is no wrong answer for a cat
    others = [n for n in names if n not in rivals]
    pool = (meant + [str(n) for n in np.random.default_rng(4).permutation(others)])[: max(POOL, len(meant))]
    made = contact_sheet.paint(pipe, [word for word, _ in asked], seed=3000)
    best = (picture_vectors(judge, made) @ text_vectors(judge, tokens, pool).T).argmax(-1)
    return {"t2i_unseen_words": float(np.mean([pool[b] == name for b, (_, name) in zip(best, asked, strict=True)]))}


def speed(pipe: StableDiffusionPipeline) -> dict[str, float]:
    """Seconds for one picture of 20 steps with guidance, warm; the best of three, as other work only slows it."""
    return {"picture_seconds": best_time(pipe, steps=20, guidance=4.0)}


def best_time(pipe: StableDiffusionPipeline, steps: int, guidance: float) -> float:
    """Seconds of the fastest of three pictures, after one to warm up."""
    contact_sheet.paint(pipe, ["a cat"], steps=2, guidance=guidance)
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        contact_sheet.paint(pipe, ["a cat"], steps=steps, guidance=guidance)
        times.append(time.perf_counter() - begin)
    return min(times)
