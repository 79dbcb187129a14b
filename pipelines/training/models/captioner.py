"""Train the captioner: transformers' BlipForConditionalGeneration, tiny, at Sprite CLIP's picture size.

Its picture encoder begins as Sprite CLIP's vision tower, which knows the things by name already, and learns slowly;
the text decoder begins at random. Pictures are composed as it learns, as for the vision tower.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import BertTokenizerFast, BlipConfig, BlipForConditionalGeneration, CLIPModel
from transformers.models.blip.modeling_blip import BlipVisionModel

from pipelines.training.corpus import captions, names
from pipelines.training.corpus.corpus import Corpus, Thing
from pipelines.training.data import batches
from pipelines.training.loop import Run, learnt_since
from pipelines.training.models.alignment import clip
from pipelines.training.optimizer import Muon, split
from pipelines.training.precision import autocast

WIDTH, LAYERS, HEADS, LENGTH = 160, 2, 4, 24
# Its eyes are the first layers of Sprite CLIP's: the last one is for the one vector of the whole.
EYES = 3
BATCH = 64
KINDS = {"single": 0.55, "count": 0.15, "pair": 0.24, "between": 0.06}
STYLED = 0.25
# Until then the eyes, which know the things already, are locked, and only the decoder learns to say what they see.
EYES_FROM = 0.75
WORDINGS = 3
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
    # BLIP's default deviation for its vision tower is 1e-10, made for loading weights into it, not for training it.
    vision = {"hidden_size": clip.WIDTH, "intermediate_size": 4 * clip.WIDTH, "num_hidden_layers": EYES,
              "num_attention_heads": clip.LOOKS, "image_size": clip.PICTURE, "patch_size": clip.PATCH,
              "hidden_act": "quick_gelu", "initializer_range": 0.02}  # fmt: skip
    text = {"vocab_size": words, "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS, "encoder_hidden_size": clip.WIDTH, "max_position_embeddings": LENGTH,
            "bos_token_id": 2, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0, "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0}  # fmt: skip
    config = BlipConfig(text_config=text, vision_config=vision, projection_dim=WIDTH)
    config._attn_implementation = "eager"
    return BlipForConditionalGeneration(config)


@torch.no_grad()
def sow(tower: BlipVisionModel, source: CLIPModel, pixels: Tensor) -> None:
    """Begin BLIP's vision tower at CLIP's. Only CLIP's norm before the first layer has no place there: what is linear
    in it goes into the embeddings, and its division by each patch's deviation becomes one by that of all `pixels`."""
    vision = source.vision_model
    first, norm, to = vision.embeddings, vision.pre_layrnorm, tower.embeddings
    deviation = first(pixels).var(-1).mean().sqrt()
    gain = norm.weight / deviation
    patches, places, token = (
        t - t.mean(axis, keepdim=True)
        for t, axis in (
            (first.patch_embedding.weight, 0), (first.position_embedding.weight, 1), (first.class_embedding, 0),
        )
    )  # fmt: skip
    to.patch_embedding.weight.copy_(patches * gain[:, None, None, None])
    to.patch_embedding.bias.zero_()
    to.class_embedding.copy_(token * gain)
    to.position_embedding.copy_(places * gain + norm.bias)
    for mine, theirs in zip(tower.encoder.layers, vision.encoder.layers, strict=False):  # the first ones
        sow_layer(mine, theirs)
    tower.post_layernorm.load_state_dict(vision.post_layernorm.state_dict())


def sow_layer(mine: nn.Module, theirs: nn.Module) -> None:
    """One layer: the same parts under other names; query, key and value are one matrix in BLIP."""
    attention = theirs.self_attn
    three = (attention.q_proj, attention.k_proj, attention.v_proj)
    mine.self_attn.qkv.weight.copy_(torch.cat([p.weight for p in three]))
    mine.self_attn.qkv.bias.copy_(torch.cat([p.bias for p in three]))
    mine.self_attn.projection.load_state_dict(attention.out_proj.state_dict())
    for name in ("mlp", "layer_norm1", "layer_norm2"):
        getattr(mine, name).load_state_dict(getattr(theirs, name).state_dict())


def to_pixels(small: np.ndarray) -> Tensor:
    """float32 (B, 3, 64, 64) in [-1, 1] from uint8 (B, 64, 64, 3)."""
    return torch.from_numpy(np.ascontiguousarray(small)).permute(0, 3, 1, 2).float() / 127.5 - 1


def all_words(things: list[Thing], mixture: batches.Mixture, number: int = 4000) -> list[str]:
    """Texts that hold every word to be known: all names, singular and plural, and many captions."""
    every = [n for t in things for n in (t.en, *names.ALIASES.get(t.en, []))]
    draw = np.random.default_rng(0)
    found = mixture.english(draw, mixture.plan(draw, number))
    return [*found, *every, *(names.plural(n) for n in every)] * 2


class Lessons:
    """Endless new pictures with captions that name every thing; a word of style now and then."""

    def __init__(self, small: Corpus, words: BertTokenizerFast | None = None):
        self.mixture = batches.Mixture(small, KINDS)
        self.words = words or tokenizer(vocabulary(all_words(small.things, self.mixture)))

    def batch(self, draw: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Pixels (size, 3, 64, 64) and token ids (size * WORDINGS, L): several captions of each picture in a row."""
        drawn = self.mixture.draw(draw, size)
        things = self.mixture.corpus.things
        said = [(captions.english if draw.random() < STYLED else captions.unstyled)(draw, s, things).lower()
                for s in drawn.scenes for _ in range(WORDINGS)]  # fmt: skip
        coded = self.words(said, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt")
        return batches.vary(to_pixels(drawn.pictures), draw), coded["input_ids"]


def look(tower: BlipVisionModel, pixels: Tensor) -> Tensor:
    """The encoder's states (B, patches + 1, W)."""
    states = tower.embeddings(pixels)
    if torch.is_autocast_enabled("cpu"):
        states = states.bfloat16()
    return tower.post_layernorm(tower.encoder(inputs_embeds=states).last_hidden_state)


def caption_loss(model: BlipForConditionalGeneration, locked: Callable[[], bool] = lambda: False) -> Callable:
    """Cross entropy of the next token; the opening token and padding are not predicted.

    locked: whether the eyes learn nothing just now.
    """

    def loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, int]:
        pixels, ids = batch
        with autocast():
            with torch.set_grad_enabled(not locked()):
                seen = look(model.vision_model, pixels)
            logits = model.text_decoder(
                input_ids=ids[:, :-1], attention_mask=(ids[:, :-1] != 0).long(),
                encoder_hidden_states=seen.repeat_interleave(len(ids) // len(pixels), 0),
            ).logits  # fmt: skip
        wanted = ids[:, 1:].masked_fill(ids[:, 1:] == 0, -100)
        return F.cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), label_smoothing=0.05), len(pixels)

    return loss


def groups(model: BlipForConditionalGeneration) -> list[dict]:
    """The decoder at full rate, the encoder, which knows its work already, at a quarter of it."""
    return [*split(model.text_decoder, muon=1.5e-3, adam=2e-3), *split(model.vision_model, muon=4e-4, adam=4e-4)]


def shape_of(model: nn.Module) -> dict[str, torch.Size]:
    """The shape of every weight."""
    return {name: weight.shape for name, weight in model.state_dict().items()}


def begin(words: BertTokenizerFast, source: CLIPModel, pixels: Tensor) -> BlipForConditionalGeneration:
    """A new captioner that sees with `source`'s vision tower; `pixels` (B, 3, 64, 64) are pictures as it will see."""
    model = fresh(len(words))
    sow(model.vision_model, source, pixels)
    return model


def train(
    folder: Path,
    minutes: float,
    source: CLIPModel,
    found: tuple[BlipForConditionalGeneration, BertTokenizerFast] | None = None,
) -> Run:
    """One cycle of `minutes`, from `found` or from `source`'s eyes; a captioner of another shape is begun anew."""
    if found and shape_of(found[0]) != shape_of(fresh(len(found[1]))):
        found = None  # one of an earlier shape
    lessons = Lessons(batches.small_corpus(folder, Corpus.open(folder)), found[1] if found else None)
    known = folder / "captioner" / "words.json"
    known.parent.mkdir(parents=True, exist_ok=True)
    vocab = lessons.words.get_vocab()
    known.write_text(json.dumps(sorted(vocab, key=vocab.get)))
    pixels = lessons.batch(np.random.default_rng(1), 128)[0]
    model = found[0] if found else begin(lessons.words, source, pixels)
    model.requires_grad_(True).train()
    run = Run(folder / "captioner", model, Muon(groups(model)), decay=0.996)
    newer_eyes = learnt_since(folder, "captioner", ["vision"])
    run.resume()
    budget = run.cycle(minutes)
    if newer_eyes:
        sow(model.vision_model, source, pixels)
        run.settle()
    loss = caption_loss(model, lambda: budget.progress(run.step, run.seconds) < EYES_FROM)
    run.train(lambda draw: lessons.batch(draw, BATCH), loss, budget)
    return run
