"""Sprite CLIP, and the distillation of its text tower from a sentence encoder."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

from pipelines.training.corpus import sentence_teacher, text_corpus
from pipelines.training.corpus.corpus import Corpus
from pipelines.training.data import tokenizer
from pipelines.training.loop import Run
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

WIDTH, LAYERS, HEADS, PICTURE, PATCH = 256, 4, 4, 64, 8
# One head of the vision tower for each neighbour of a patch.
LOOKS = 8
TEACHER_WIDTH = 384
SHARES = {"nouns": 0.3, "names": 0.45, "captions": 0.25}


def config(words_known: int, end: int) -> CLIPConfig:
    """Sprite CLIP's shape for a vocabulary of `words_known` whose last token `end` closes and pads a text."""
    tower = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "projection_dim": WIDTH}
    text = {"vocab_size": words_known, "intermediate_size": 4 * WIDTH, "max_position_embeddings": tokenizer.LENGTH,
            "bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": end, **tower}  # fmt: skip
    vision = {**tower, "image_size": PICTURE, "patch_size": PATCH, "intermediate_size": 4 * WIDTH,
              "num_attention_heads": LOOKS}  # fmt: skip
    return CLIPConfig(text_config=text, vision_config=vision, projection_dim=WIDTH)


def fresh(tokens: CLIPTokenizer, seed: int = 1) -> CLIPModel:
    """A Sprite CLIP with random weights."""
    torch.manual_seed(seed)
    shape = config(len(tokens), tokens.eos_token_id)
    shape._attn_implementation = "eager"  # flash attention's backward pass is slow on CPUs at these sizes
    return CLIPModel(shape)


@torch.no_grad()
def sow(clip: CLIPModel, tokens: CLIPTokenizer, sources: dict, targets: Tensor) -> None:
    """Begin token embeddings where the teacher has the tokens' words: projected to their 256 main directions.

    A token that is a Chinese name or keyword takes its English counterpart's vector.
    """
    known = {text: row for rows in sources.values() for text, row in rows}
    table = clip.text_model.embeddings.token_embedding.weight
    words_of = {i: tokens.decode([i]).strip() for i in range(len(tokens))}
    found = {i: known[w] for i, w in words_of.items() if w in known}
    vectors = targets[list(found.values())].float()
    centred = vectors - vectors.mean(0)
    directions = torch.linalg.svd(centred, full_matrices=False).Vh[:WIDTH]
    seeds = centred @ directions.T
    table[list(found)] = seeds * (0.05 / seeds.std())


class TextStudent(nn.Module):
    """The text tower with a head into the teacher's space; the head is dropped after distillation."""

    def __init__(self, clip: CLIPModel):
        super().__init__()
        self.text_model, self.text_projection = clip.text_model, clip.text_projection
        self.head = nn.Linear(WIDTH, TEACHER_WIDTH)

    def forward(self, ids: Tensor) -> Tensor:
        """Unit vectors (B, 384) for token ids (B, L)."""
        # Position 1 on, padding is the end token itself: causal attention keeps it from changing the first one.
        pooled = self.text_model(input_ids=ids).pooler_output
        return F.normalize(self.head(self.text_projection(pooled)).float(), dim=-1)


class Lessons:
    """All texts as tokens in buckets of like length, with their targets."""

    def __init__(self, folder: Path, tokens: CLIPTokenizer):
        sources = json.loads((folder / "text.json").read_text())
        self.targets = load_file(folder / "text.safetensors")["targets"]
        texts = [(t, n, SHARES[s] / len(rows)) for s, rows in sources.items() for t, n in rows]
        coded = tokens([t for t, _, _ in texts], truncation=True, max_length=tokenizer.LENGTH)["input_ids"]
        self.end = tokens.eos_token_id
        edges = (5, 8, 14, tokenizer.LENGTH)
        place = np.searchsorted(edges, [len(c) for c in coded])
        share = np.array([w for _, _, w in texts])
        target = np.array([n for _, n, _ in texts])
        self.buckets = []
        for number in range(len(edges)):
            rows = np.flatnonzero(place == number)
            ids = np.full((len(rows), edges[number]), self.end)
            for i, row in enumerate(rows):
                ids[i, : len(coded[row])] = coded[row]
            self.buckets.append((ids, target[rows], share[rows].cumsum()))
        total = np.array([b[2][-1] for b in self.buckets])
        self.share = total / total.sum()

    def batch(self, draw: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Token ids (size, L) and the teacher's vectors (size, 384)."""
        ids, target, cumulated = self.buckets[draw.choice(len(self.buckets), p=self.share)]
        rows = np.searchsorted(cumulated, draw.random(size) * cumulated[-1])
        return torch.from_numpy(ids[rows]), self.targets[torch.from_numpy(target[rows])].float()


def prepare_text(folder: Path) -> CLIPTokenizer:
    """Texts, tokenizer and the teacher's vectors in the cache; done once."""
    if not (folder / "text.safetensors").exists():
        sources = text_corpus.pairs(Corpus.open(folder), folder / "packages")
        targets = list(dict.fromkeys(b for rows in sources.values() for _, b in rows))
        number = {text: i for i, text in enumerate(targets)}
        coded = {k: [(a, number[b]) for a, b in rows] for k, rows in sources.items()}
        tokenizer.build([a for rows in sources.values() for a, _ in rows], folder / "tokenizer")
        (folder / "text.json").write_text(json.dumps(coded, ensure_ascii=False))
        save_file({"targets": sentence_teacher.embed(targets)}, folder / "text.safetensors")
    return tokenizer.open_tokenizer(folder / "tokenizer")


def distil_loss(student: TextStudent) -> Callable:
    """Cosine distance, and likeness of all pairs in the batch: neighbours are what retrieval lives on."""

    def loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, int]:
        ids, wanted = batch
        with autocast():
            shown = student(ids)
        relations = (shown @ shown.T - wanted @ wanted.T).square().mean()
        return (1 - (shown * wanted).sum(-1)).mean() + 4 * relations, len(ids)

    return loss


def distil(folder: Path, minutes: float, name: str = "text", seed: int = 1, batch: int = 256) -> Run:
    """Train the text tower for `minutes` in all."""
    tokens = prepare_text(folder)
    model, lessons = fresh(tokens, seed), Lessons(folder, tokens)
    sow(model, tokens, json.loads((folder / "text.json").read_text()), lessons.targets)
    student = TextStudent(model)
    run = Run(folder / name, student, Muon(split(student, muon=1e-3, adam=1.5e-3)), decay=0.998, seed=seed)
    run.resume()
    run.train(lambda draw: lessons.batch(draw, batch), distil_loss(student), run.cycle(minutes))
    return run
