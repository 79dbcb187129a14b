"""Sprite's byte-pair vocabulary, built so that transformers' CLIPTokenizer reads it unchanged."""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

VOCABULARY = 7000
LENGTH = 32


def build(texts: Iterable[str], folder: Path, size: int = VOCABULARY) -> CLIPTokenizer:
    """Learn merges from `texts`, write vocab.json and merges.txt to `folder`, return the tokenizer of LENGTH tokens.

    Normalisation and splitting are CLIPTokenizer's own; bytes come first in the vocabulary, as bare and as
    word-final symbols, so that no text is unknown.
    """
    like = CLIPTokenizer()
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.normalizer = like.backend_tokenizer.normalizer
    learner.pre_tokenizer = like.backend_tokenizer.pre_tokenizer
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=size - 258,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        min_frequency=2,
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    learnt = json.loads(learner.to_str())["model"]
    merges = [m.split(" ") if isinstance(m, str) else m for m in learnt["merges"]]
    symbols = alphabet + [a + "</w>" for a in alphabet] + ["".join(m) for m in merges]
    symbols = [*list(dict.fromkeys(symbols)), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({s: i for i, s in enumerate(symbols)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(m) for m in merges) + "\n")
    return open_tokenizer(folder)


def open_tokenizer(folder: Path) -> CLIPTokenizer:
    """The tokenizer of a folder with vocab.json and merges.txt."""
    vocab = json.loads((folder / "vocab.json").read_text())
    merges = [tuple(line.split(" ")) for line in (folder / "merges.txt").read_text().splitlines()[1:]]
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=LENGTH)
