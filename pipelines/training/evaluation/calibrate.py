"""`python -m pipelines.training.evaluation.calibrate [--model FOLDER] [--pictures FOLDER]`: measure the limits of a
model.

Without a folder of pictures (with their captions as `same-stem.txt`) those that training never showed are drawn from
the training corpus, each with an altered copy. What is found goes into the model folder's `triptych.json`, together
with how well it works and with a mark of the weights that it was measured with. Run it again after training.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.alignment.model import Alignment
from pipelines.alignment.scores import Floats
from pipelines.alignment.thresholds import mark

FALSE = 0.02  # of unrelated pairs, that pass as similar: one in fifty
FALSE_TWINS = 1e-4  # of pairs of different pictures, that pass as nearly the same
NUMBER = 300
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Example:
    """A picture, what is true of it, other words for that, and what it shows (equal ones are no wrong answers)."""

    picture: Image.Image
    caption: str
    words: str
    thing: str


def measured(alignment: Alignment, examples: Sequence[Example]) -> dict[str, float]:
    """The limits, and how well they work: shares of pairs, right ones that pass and wrong ones that pass.

    doubtful: where right and wrong captions are told apart best, the greatest sum of both shares (Youden 1950).
    near: what 1 in 10,000 pairs of different pictures reaches, and at least a copy's tenth percentile.
    pictures, texts: what 1 in 50 unrelated pairs of words and picture, of words and caption, reaches.
    """
    seen = alignment.embed_images([one.picture for one in examples])
    twins = alignment.embed_images([altered(one.picture, i) for i, one in enumerate(examples)])
    read = alignment.embed_texts([one.caption for one in examples])
    asked = alignment.embed_texts([one.words for one in examples])
    things = np.array([one.thing for one in examples])
    other = things[:, None] != things[None]
    scores = np.stack([alignment.scores(seen, np.roll(read, -shift, 0)) for shift in range(8)])
    wrong = np.stack([np.roll(things, -shift) != things for shift in range(8)])
    found = _told("doubtful", scores[0], scores[wrong], best_cut(scores[0], scores[wrong]))
    found |= _near((seen * twins).sum(-1), (seen @ seen.T)[other])
    for name, against in (("pictures", seen), ("texts", read)):
        cosines = asked @ against.T
        found |= _told(name, np.diag(cosines), cosines[other], float(np.quantile(cosines[other], 1 - FALSE)))
    return found | {"examples": len(examples)}


def best_cut(right: Floats, wrong: Floats) -> float:
    """The value that tells two kinds apart best: share of right ≥ it plus share of wrong < it is greatest."""
    cuts = np.unique(np.concatenate([right, wrong]))
    passing = 1 - np.searchsorted(np.sort(right), cuts) / len(right)
    failing = np.searchsorted(np.sort(wrong), cuts) / len(wrong)
    return float(cuts[int((passing + failing).argmax())])


def _near(twins: Floats, strangers: Floats) -> dict[str, float]:
    return _told("near", twins, strangers, float(np.quantile(strangers, 1 - FALSE_TWINS)))


def _told(name: str, right: Floats, wrong: Floats, cut: float) -> dict[str, float]:
    """The limit, rounded up, with the shares of right and of wrong pairs that reach it."""
    limit = float(np.ceil(cut * 10**DIGITS) / 10**DIGITS)
    shares = {f"{name}_right": float((right >= limit).mean()), f"{name}_wrong": float((wrong >= limit).mean())}
    return {name: limit} | {key: round(share, 6) for key, share in shares.items()}


def altered(picture: Image.Image, number: int) -> Image.Image:
    """The same picture as people send it twice: smaller, packed harder, or with a little less at its edges."""
    width, height = picture.size
    if number % 3 == 0:
        return picture.resize((max(1, width // 2), max(1, height // 2)), Image.Resampling.LANCZOS)
    if number % 3 == 1:
        file = io.BytesIO()
        picture.convert("RGB").save(file, "JPEG", quality=40)
        return Image.open(file).convert("RGB")
    return picture.crop((round(width * 0.03), round(height * 0.03), round(width * 0.97), round(height * 0.97)))


def write(folder: Path, found: dict[str, float]) -> None:
    """Into the model's `triptych.json`, whose other lines stay."""
    file = folder / "triptych.json"
    said = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    said["calibration"] = found | {"weights": mark(folder)}
    file.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", "utf-8")


def described(folder: Path, number: int) -> list[Example]:
    """Pictures with their captions; each is a thing of its own, and its first phrase is searched for."""
    from pipelines.alignment.phrases import phrases

    found = []
    for text in sorted(folder.rglob("*.txt")):
        pictures = [path for path in text.parent.glob(f"{text.stem}.*") if path.suffix.lower() != ".txt"]
        caption = text.read_text("utf-8").strip()
        if pictures and caption:
            image = Image.open(pictures[0]).convert("RGB")
            found.append(Example(image, caption, phrases(caption)[0].core, caption.casefold()))
    return found[:number]


def held_out(number: int) -> list[Example]:
    """Single things in styles that training never showed, searched for by another name where they have one."""
    from pipelines.training.corpus import captions, names
    from pipelines.training.corpus.corpus import Corpus, cache_folder
    from pipelines.training.evaluation.model_metrics import portraits

    corpus, draw = Corpus.open(cache_folder()), np.random.default_rng(7)
    pictures, things = portraits(corpus, number)
    found = []
    for pixels, index in zip(pictures, things, strict=True):
        thing = corpus.things[index]
        words = (names.ALIASES.get(thing.en) or [thing.en])[0]
        caption = names.with_article(captions.name_of(draw, thing))
        found.append(Example(Image.fromarray(pixels), caption, words, thing.en))
    return found


def main() -> None:
    import torch

    from pipelines.alignment.opening import open_alignment
    from pipelines.catalog import folders
    from pipelines.catalog.catalog import BUNDLED
    from pipelines.runtime.options import Options

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=BUNDLED / "sprite-clip", help="folder of the alignment model")
    parser.add_argument("--pictures", type=Path, help="folder of pictures with .txt captions")
    parser.add_argument("--number", type=int, default=NUMBER)
    parser.add_argument("--dry", action="store_true", help="print only")
    asked = parser.parse_args()
    entry = folders.read(asked.model.name, asked.model, "folder")
    options = Options(torch.device("cpu"), torch.float32)
    alignment = open_alignment(entry, options, lambda text, part: None).alignment  # type: ignore[arg-type]
    examples = described(asked.pictures, asked.number) if asked.pictures else held_out(asked.number)
    found = measured(alignment, examples)
    print(json.dumps(found, indent=2))
    if not asked.dry:
        write(asked.model, found)


if __name__ == "__main__":
    main()
