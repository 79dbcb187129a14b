"""From cosines to numbers for people, each with its formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
SAME = 0.75  # a reference that says the same as the text would split the vote with it
SUPPORTED = 0.8  # a phrase is supported where it stands out from so many of the references
# Short, concrete, about as different as pictures are. 64, so that by chance a text is chosen one time in 65.
REFERENCES = (
    "a red car parked on a street", "a plate of pasta with tomato sauce", "two dogs running on a beach",
    "a woman reading a book", "a snowy mountain under a blue sky", "an old wooden door", "a bowl of fruit on a table",
    "a city skyline at night", "a child blowing soap bubbles", "a white cat on a sofa", "a green forest path",
    "a bicycle leaning against a wall", "a cup of coffee", "a football match in a stadium", "a yellow flower",
    "an airplane in the clouds", "a bridge over a river", "a man playing the guitar", "a chocolate cake with candles",
    "a sailing boat on the sea", "a computer on a desk", "a horse in a field", "a pair of shoes", "a slice of pizza",
    "an elephant at a waterhole", "a rocket in space", "a clock on a tower", "a purple butterfly on a leaf",
    "a group of people at a party", "a lighthouse on a cliff", "a steaming train", "a bird on a branch",
    "a traffic light", "a heart", "a smiling yellow face", "a black umbrella in the rain", "a kitchen with a stove",
    "a map of an island", "a robot", "a house with a red roof", "a waterfall in the jungle", "a glass of beer",
    "a fish in an aquarium", "a page of handwritten text", "a doctor in a hospital", "a chair and a lamp",
    "a desert with a camel", "a tennis racket and a ball", "a castle on a hill", "a pile of coins",
    "the moon and stars at night", "a bunch of balloons", "a hand holding a phone", "a dinosaur skeleton",
    "a penguin on the ice", "a shelf full of bottles", "a knife and a fork", "a wedding dress", "a Christmas tree",
    "a mushroom in the grass", "a drawing of a dragon", "a tractor on a farm", "a plain grey background",
    "a colourful abstract pattern",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    """The model's own temperature and bias: logit = scale · cosine + bias. sigmoid: trained pair by pair (SigLIP)."""

    scale: float
    bias: float = 0.0
    sigmoid: bool = False


def kept(texts: Floats, references: Floats) -> NDArray[np.bool_]:
    """(N, K): which references say something else than each text.

    Texts of one model all lie in a narrow cone, so the mean of the references is taken off before they are compared.
    """
    centre = references.mean(0)
    return _unit(texts - centre) @ _unit(references - centre).T < SAME


def score(cosines: Floats, to_references: Floats, keep: NDArray[np.bool_], scale: Scale) -> Floats:
    """(N,) in 0…1: how sure the model is that each text belongs to its picture.

    cosines: (N,) of text and picture; to_references: (N, K) of the references and the same picture.
    SigLIP: sigmoid(scale · cosine + bias), the probability it was trained to give (Zhai et al. 2023, section 3.2).
    CLIP:   exp(s·c) / (exp(s·c) + Σ exp(s·c_k)): the chance that the model picks this text from a line-up with the
            captions of 64 other pictures, at the temperature s of its training (Radford et al. 2021, figure 3).
    """
    logits = scale.scale * np.asarray(cosines, np.float64) + scale.bias
    if not scale.sigmoid:
        others = np.where(keep, scale.scale * to_references.astype(np.float64), -np.inf)
        logits = logits - np.logaddexp.reduce(others, axis=-1)
    return (1 / (1 + np.exp(-np.clip(logits, -60, 60)))).astype(np.float32)


def standing(cosines: Floats, to_references: Floats, keep: NDArray[np.bool_]) -> Floats:
    """(N,) in 0…1: the share of the references that each text fits its picture better than. 0.5 is chance."""
    beaten = (np.asarray(cosines)[:, None] > to_references) & keep
    return (beaten.sum(-1) / np.maximum(keep.sum(-1), 1)).astype(np.float32)


def _unit(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
