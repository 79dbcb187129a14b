"""One alignment model and what it is good for: vectors, scores, ranks, labels, and which phrases a picture supports."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from pipelines.alignment import phrases
from pipelines.alignment import scores as scoring
from pipelines.alignment.scores import REFERENCES, Floats
from pipelines.alignment.towers import Pixels, Towers
from pipelines.catalog.catalog import BUNDLED

T = TypeVar("T")
AT_ONCE = 32  # lines of one forward
TEMPLATES = ("{}", "a picture of {}", "a drawing of {}", "a photo of {}")
REMEMBERED = 8  # vocabularies whose vectors are kept
EXAMPLES = BUNDLED.parent / "examples"


@dataclass(frozen=True, slots=True)
class Supported:
    """A phrase of a caption. span: its characters. score: the share of 64 captions of other pictures that it beats."""

    text: str
    span: tuple[int, int]
    score: float
    supported: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """score: 0…1, see `calibration.score`; cosine: of picture and text; both None where one of them is missing.

    vector: unit, float16: of the picture, or of the text where there is no picture.
    """

    score: float | None
    cosine: float | None
    vector: bytes


class Alignment:
    """All vectors are float32 of unit length; texts longer than the window are read in parts whose mean counts."""

    def __init__(self, towers: Towers):
        self.towers = towers
        self._vocabularies: OrderedDict[tuple, Floats] = OrderedDict()

    def embed_images(self, pictures: Sequence[Image.Image]) -> Floats:
        """(N, D) of RGB pictures."""
        return self.embed_pixels([self.towers.pixels(picture) for picture in pictures])

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """(N, D)."""
        return self.embed_ids([self.towers.ids(text) for text in texts])

    def embed_pixels(self, pixels: Sequence[Pixels]) -> Floats:
        """(N, D) of what `towers.pixels` gives."""
        return self._in_lots(self.towers.see, pixels)

    def embed_ids(self, texts: Sequence[list[list[int]]]) -> Floats:
        """(N, D) of what `towers.ids` gives. Parts count by their length."""
        flat = [part for text in texts for part in text]
        order = sorted(range(len(flat)), key=lambda i: len(flat[i]))  # so that little is padded
        vectors: Floats = np.empty((len(flat), self.dim), np.float32)
        vectors[order] = self._in_lots(self.towers.read, [flat[i] for i in order])
        owners: Any = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
        sums: Floats = np.zeros((len(texts), self.dim), np.float32)
        np.add.at(sums, owners, vectors * np.array([len(part) for part in flat], np.float32)[:, None])
        return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)

    def note(self, texts: Sequence[list[list[int]]]) -> list[str]:
        """What a person should know of how the texts were read."""
        long = sum(len(text) > 1 for text in texts)
        whose = "The text is" if len(texts) == 1 else f"{long} of {len(texts)} texts are"
        told = f"{whose} longer than the {self.towers.window} tokens that the alignment model reads at once"
        return [f"{told}: read in parts, of which the mean counts."] if long else []

    def score(self, pictures: Sequence[Image.Image], texts: Sequence[str]) -> Floats:
        """(N,) in 0…1 of pairs; the formula is in `calibration.score`."""
        return self.scores(self.embed_images(pictures), self.embed_texts(texts))

    def scores(self, seen: Floats, read: Floats) -> Floats:
        """(N,) of pairs of vectors of pictures and texts, both (N, D)."""
        return scoring.score((seen * read).sum(-1), *self._line_up(seen, read), self.towers.scale)

    def rank(self, pictures: Sequence[Image.Image], text: str) -> list[tuple[int, float]]:
        """(index, cosine) of the pictures, the one that fits the text best first; ties keep their order."""
        cosines = self.embed_images(pictures) @ self.embed_texts([text])[0]
        return [(int(i), float(cosines[i])) for i in np.argsort(-cosines, kind="stable")]

    def label(
        self, pictures: Sequence[Image.Image], labels: Sequence[str], templates: Sequence[str] = TEMPLATES
    ) -> Floats:
        """(N, L) probabilities of the labels, see `labelled`."""
        return self.labelled(self.embed_images(pictures), labels, templates)

    def labelled(self, seen: Floats, labels: Sequence[str], templates: Sequence[str] = TEMPLATES) -> Floats:
        """(N, L): zero-shot, softmax(s · cosine) over the labels (Radford et al. 2021, section 3.1.4).

        A label's vector is the mean over the templates. SigLIP: each label by itself, sigmoid(s · cosine + b).
        """
        return self.shares(seen, self.vocabulary(labels, templates))

    def shares(self, seen: Floats, vocabulary: Floats) -> Floats:
        """(N, L) as `labelled`, of vectors of pictures (N, D) and of labels (L, D)."""
        scale = self.towers.scale
        logits = scale.scale * (seen @ vocabulary.T).astype(np.float64) + scale.bias
        if scale.sigmoid:
            return (1 / (1 + np.exp(-logits))).astype(np.float32)
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return (powers / powers.sum(-1, keepdims=True)).astype(np.float32)

    def vocabulary(self, labels: Sequence[str], templates: Sequence[str] = TEMPLATES) -> Floats:
        """(L, D): vectors of labels, remembered for the last few vocabularies."""
        key = (tuple(labels), tuple(templates))
        if key not in self._vocabularies:
            self._vocabularies[key] = middle(self.embed_texts(spelled(labels, templates)), len(labels))
        self._vocabularies.move_to_end(key)
        while len(self._vocabularies) > REMEMBERED:
            self._vocabularies.popitem(last=False)
        return self._vocabularies[key]

    def agreement(self, picture: Image.Image, caption: str) -> list[Supported]:
        """The caption's phrases, each with how well the picture supports it."""
        return self.agreements(self.embed_images([picture]), [caption])[0]

    def agreements(self, seen: Floats, captions: Sequence[str]) -> list[list[Supported]]:
        """As `agreement`, for vectors of pictures (N, D) and N captions, in one go."""
        found = [phrases.phrases(caption) for caption in captions]
        flat = [(i, phrase) for i, some in enumerate(found) for phrase in some]
        result: list[list[Supported]] = [[] for _ in captions]
        if flat:
            owners, read = seen[[i for i, _ in flat]], self.embed_texts([phrase.core for _, phrase in flat])
            standing = scoring.standing((owners * read).sum(-1), *self._line_up(owners, read))
            for (i, phrase), share in zip(flat, standing.tolist(), strict=True):
                good = share >= scoring.SUPPORTED
                result[i].append(Supported(phrase.text, phrase.span, round(share, 4), good))
        return result

    def standing(self, seen: Floats, read: Floats) -> Floats:
        """(N, L): for each picture (N, D), the share of the references that each text (L, D) fits it better than."""
        owners, texts = np.repeat(seen, len(read), 0), np.tile(read, (len(seen), 1))
        found = scoring.standing((owners * texts).sum(-1), *self._line_up(owners, texts))
        return found.reshape(len(seen), len(read))

    def judge(self, pictures: Sequence[Image.Image | None], texts: Sequence[str]) -> list[Judged]:
        """One for every pair. An empty text gives no score, a missing picture the text's vector."""
        there = [i for i, picture in enumerate(pictures) if picture is not None]
        said = [i for i, text in enumerate(texts) if text.strip()]
        seen: Floats = np.zeros((len(texts), self.dim), np.float32)
        read: Floats = np.zeros_like(seen)
        seen[there] = self.embed_images([picture for picture in pictures if picture is not None])
        read[said] = self.embed_texts([texts[i] for i in said])
        cosines, scores = (seen * read).sum(-1), self.scores(seen, read)
        both = set(there) & set(said)
        vectors = np.where(np.isin(np.arange(len(texts)), there)[:, None], seen, read).astype(np.float16)
        return [Judged(float(scores[i]) if i in both else None, float(cosines[i]) if i in both else None,
                       vectors[i].tobytes()) for i in range(len(texts))]  # fmt: skip

    @cached_property
    def dim(self) -> int:
        """D."""
        return self.towers.read(self.towers.ids("a"))[0].size

    @cached_property
    def references(self) -> Floats:
        """(64, D)."""
        return self.embed_texts(REFERENCES)

    @cached_property
    def floor(self) -> float:
        """The cosine of pictures of different things."""
        return floor(self)

    def _line_up(self, seen: Floats, read: Floats) -> tuple[Any, Any]:
        return seen @ self.references.T, scoring.kept(read, self.references)

    def _in_lots(self, embed: Callable[[Sequence[T]], np.ndarray], lines: Sequence[T]) -> Floats:
        lots = [embed(lines[i : i + AT_ONCE]) for i in range(0, len(lines), AT_ONCE)]
        return np.concatenate(lots) if lots else np.empty((0, self.dim), np.float32)


def spelled(labels: Sequence[str], templates: Sequence[str] = TEMPLATES) -> list[str]:
    """Every label in every template, label by label; a label may hold braces."""
    return [form.replace("{}", label) for label in labels for form in templates]


def middle(vectors: Floats, labels: int) -> Floats:
    """(L, D), unit: the mean of each label's templates, in the order of `spelled`."""
    mean = vectors.reshape(labels, -1, vectors.shape[1]).mean(1)
    return mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)


def floor(alignment: Alignment) -> float:
    """The mean cosine of pictures of different things: those that come with the program; 0 where they are missing."""
    files = sorted(EXAMPLES.glob("*.webp"))
    if len(files) < 2:
        return 0.0
    seen = alignment.embed_images([Image.open(file).convert("RGB") for file in files])
    return float((seen @ seen.T)[~np.eye(len(seen), dtype=bool)].mean())
