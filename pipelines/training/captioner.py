"""Train the captioner: transformers' BlipForConditionalGeneration, tiny, at Sprite CLIP's picture size."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import BertTokenizerFast, BlipConfig, BlipForConditionalGeneration

from .optimizer import Muon, split
from .run import Run

WIDTH, LAYERS, HEADS, PICTURE, PATCH, LENGTH = 176, 4, 4, 64, 8, 24
BATCH = 64
PAD, UNKNOWN, START, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"


def vocabulary(captions: list[str], size: int = 3000) -> list[str]:
    """Whole words by frequency, then single characters with their continuations, so that any English word is spelt."""
    counts: dict[str, int] = {}
    for caption in captions:
        for word in split_words(caption):
            counts[word] = counts.get(word, 0) + 1
    letters = [c for c in map(chr, range(33, 127)) if not c.isupper()]
    special = [PAD, UNKNOWN, START, END, "[MASK]"]
    frequent = sorted(counts, key=lambda w: (-counts[w], w))
    base = special + letters + [f"##{c}" for c in letters]
    return list(dict.fromkeys(base + frequent))[:size]


def split_words(caption: str) -> list[str]:
    """Lower-case words and punctuation marks as BERT's splitting gives them."""
    text = "".join(c if c.isalnum() else f" {c} " for c in caption.lower())
    return text.split()


def tokenizer(words: list[str]) -> BertTokenizerFast:
    """BERT's tokenizer, which BlipProcessor expects, over `words`."""
    return BertTokenizerFast(vocab={w: i for i, w in enumerate(words)}, do_lower_case=True, model_max_length=LENGTH)


def fresh(words: int, seed: int = 1) -> BlipForConditionalGeneration:
    """The captioner with random weights (about 4 M). Token 2 begins a caption, token 3 ends it, token 0 pads."""
    torch.manual_seed(seed)
    tower = {
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
    }
    vision = {"image_size": PICTURE, "patch_size": PATCH, **tower}
    text = {"vocab_size": words, "encoder_hidden_size": WIDTH, "max_position_embeddings": LENGTH, "bos_token_id": 2,
            "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0, "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0, **tower, "num_hidden_layers": 3}  # fmt: skip
    config = BlipConfig(text_config=text, vision_config=vision, projection_dim=WIDTH)
    config._attn_implementation = "eager"
    return BlipForConditionalGeneration(config)


def to_pixels(small: np.ndarray) -> Tensor:
    """float32 (B, 3, 64, 64) in [-1, 1] from uint8 (B, 64, 64, 3)."""
    return torch.from_numpy(np.ascontiguousarray(small)).permute(0, 3, 1, 2).float() / 127.5 - 1


class Lessons:
    """Pictures and captions: the plain wording, which names every thing, so that exact naming is learnt first."""

    def __init__(self, target: Path, words: BertTokenizerFast | None = None):
        rows = json.loads((target / "scenes.json").read_text())
        captions = [c.lower() for row in rows for c in row["en"]]
        self.words = words or tokenizer(vocabulary(captions))
        self.small = np.load(target / "small.npy", mmap_mode="r")
        coded = self.words(captions, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt")
        self.ids = coded["input_ids"].int().view(len(rows), -1, LENGTH)

    def batch(self, draw: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Pixels (size, 3, 64, 64) and token ids (size, L)."""
        rows = np.sort(draw.integers(0, len(self.small), size))
        ids = self.ids[torch.from_numpy(rows), torch.from_numpy(draw.integers(0, self.ids.shape[1], size))].long()
        longest = int((ids != 0).sum(1).max())
        return to_pixels(self.small[rows]), ids[:, :longest]


def caption_loss(model: BlipForConditionalGeneration) -> Callable:
    """Cross entropy of the next token; the opening token and padding are not predicted."""

    def loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, int]:
        pixels, ids = batch
        with torch.autocast("cpu", torch.bfloat16):
            seen = model.vision_model(pixel_values=pixels).last_hidden_state
            logits = model.text_decoder(
                input_ids=ids[:, :-1], attention_mask=(ids[:, :-1] != 0).long(), encoder_hidden_states=seen
            ).logits
        wanted = ids[:, 1:].masked_fill(ids[:, 1:] == 0, -100)
        return F.cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), label_smoothing=0.05), len(ids)

    return loss


def train(
    folder: Path, minutes: float, begin: tuple[BlipForConditionalGeneration, BertTokenizerFast] | None = None
) -> Run:
    """One cycle of `minutes`, from `begin` or fresh weights; the vocabulary comes from the drawn captions."""
    known = folder / "captioner" / "words.json"
    lessons = Lessons(folder / "scenes", begin[1] if begin else None)
    known.parent.mkdir(parents=True, exist_ok=True)
    vocab = lessons.words.get_vocab()
    known.write_text(json.dumps(sorted(vocab, key=vocab.get)))
    model = (begin[0] if begin else fresh(len(lessons.words))).train()
    run = Run(folder / "captioner", model, Muon(split(model, muon=1e-3, adam=1.5e-3)), decay=0.996)
    run.resume()
    run.train(lambda draw: lessons.batch(draw, BATCH), caption_loss(model), run.cycle(minutes))
    return run
