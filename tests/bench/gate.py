"""The gate between the text and the picture of a prompt: whether both are heard as it says, and what the automatic one
is worth. Told by the judge, a CLIP whose vision tower has seen another random start and takes no part in drawing.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.requests import ImageRequest
from pipelines.requests.compose import Part
from pipelines.training.corpus import scenes
from pipelines.training.corpus.corpus import Corpus, cache_folder
from pipelines.training.corpus.names import alone
from pipelines.training.corpus.scene_sampler import portrait
from pipelines.training.evaluation import contact_sheet, model_metrics
from pipelines.training.release import checkpoints
from tests.bench.drive import Drive
from tests.bench.model import Model
from tests.bench.report import Samples

PAIRS, AT_ONCE, STEPS, GUIDANCE = 60, 10, 20, 4.0  # AT_ONCE: pairs of one repeat
GATES, AUTOMATIC = (0.0, 0.25, 0.5, 0.75, 1.0), "auto"
THINGS = ("red apple", "cat face", "dog face", "house", "automobile", "pizza", "rocket", "sunflower", "guitar",
          "octopus", "castle", "deciduous tree", "red heart", "tropical fish", "balloon", "mushroom", "cherries",
          "butterfly", "umbrella", "snowman")  # fmt: skip
STYLE = "3d"
SHEET, ROWS = Path(__file__).resolve().parent.parent.parent / ".bench" / "gate.webp", 6


def measure(model: Model, samples: Samples, repeats: int) -> None:
    """gate_text_at_…, gate_picture_at_…: at each position, how far the text and the picture stand out, in deviations
    from the judge's cosines with the texts and pictures of the other pairs; mean of the pairs (10 a repeat).
    gate_monotonic: 1 where the one only falls and the other only rises. gate_auto_beats_half: the part of the pairs
    whose worse heard of the two is heard better with the automatic gate than with it fixed at 0.5.
    """
    folder = cache_folder()
    if not (folder / "judge" / "state.safetensors").exists():
        raise RuntimeError("there is no judge: python -m pipelines.training --model judge")
    corpus = Corpus.open(folder)
    pairs = _pairs(corpus)[: AT_ONCE * repeats]
    shown = np.stack([scenes.render(portrait(thing, STYLE), corpus) for _, thing in pairs])
    texts = [alone(corpus.things[thing].en) for thing, _ in pairs]
    made = {gate: _drawn(model, texts, shown, gate) for gate in (*GATES, AUTOMATIC)}
    SHEET.parent.mkdir(exist_ok=True)
    _sheet(texts, shown, made).save(SHEET, quality=88)
    judge, tokens = checkpoints.load_judge(folder), checkpoints.load_tokens(folder)
    of_texts = model_metrics.text_vectors(judge, tokens, texts).numpy()
    of_shown = model_metrics.picture_vectors(judge, shown).numpy()
    heard = {}
    for gate, pictures in made.items():
        seen = model_metrics.picture_vectors(judge, pictures).numpy()
        heard[gate] = np.stack([_standing(seen, of_texts), _standing(seen, of_shown)])
    _told(samples, heard)


def _told(samples: Samples, heard: dict[float | str, np.ndarray]) -> None:
    means = {gate: both.mean(1) for gate, both in heard.items()}
    for gate, (text, picture) in means.items():
        samples.add(**{f"gate_text_at_{gate}": text, f"gate_picture_at_{gate}": picture})
    text, picture = np.array([means[gate] for gate in GATES]).T
    worse = {gate: both.min(0) for gate, both in heard.items()}
    samples.add(
        gate_monotonic=(np.diff(text) <= 0).all() and (np.diff(picture) >= 0).all(),
        gate_auto_beats_half=(worse[AUTOMATIC] > worse[0.5]).mean(),
        gate_worse_at_half=worse[0.5].mean(), gate_worse_automatic=worse[AUTOMATIC].mean(),
        gate_pairs=len(worse[0.5]),
    )  # fmt: skip


def _pairs(corpus: Corpus) -> list[tuple[int, int]]:
    """(said, shown): numbers of things."""
    numbers = {thing.en: i for i, thing in enumerate(corpus.things)}
    known = [numbers[name] for name in THINGS]
    every = [(a, b) for a in known for b in known if a != b]
    return [every[i] for i in np.random.default_rng(6).permutation(len(every))[:PAIRS]]


def _drawn(model: Model, texts: list[str], shown: np.ndarray, gate: float | str) -> np.ndarray:
    """uint8 (N, 256, 256, 3): every text with its picture, the same seeds at every gate."""
    files = [_png(picture) for picture in shown]
    names = [hashlib.sha256(file).hexdigest() for file in files]
    asked = {"auto_gate": gate == AUTOMATIC, "gate": 0.5 if gate == AUTOMATIC else gate}
    drive = Drive(model, pictures=dict(zip(names, files, strict=True)))
    jobs = [ImageRequest(**(model.request(i, steps=STEPS, guidance_scale=GUIDANCE).model_dump() | asked
                            | {"prompt": text, "parts": (Part(picture=sha),)}))
            for i, (text, sha) in enumerate(zip(texts, names, strict=True))]  # fmt: skip
    drive.run((0.0, str(i), "me", job) for i, job in enumerate(jobs))
    opened = [Image.open(io.BytesIO(drive.made[str(i)].data)).convert("RGB") for i in range(len(jobs))]
    return np.stack([np.asarray(picture) for picture in opened])


def _standing(seen: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,): the cosine of each with its own, in deviations from those with the others."""
    cosines = seen @ others.T
    own = np.diag(cosines)
    rest = np.where(np.eye(len(own), dtype=bool), np.nan, cosines)
    return (own - np.nanmean(rest, 1)) / np.nanstd(rest, 1)


def _sheet(texts: list[str], shown: np.ndarray, made: dict[float | str, np.ndarray]) -> Image.Image:
    pictures, labels = [], []
    for i, text in enumerate(texts[:ROWS]):
        pictures += [shown[i], *(some[i] for some in made.values())]
        labels += [f'"{text}", and this', *(f"gate {gate}" for gate in made)]
    return contact_sheet.sheet(np.stack(pictures), labels, columns=1 + len(made))


def _png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
