"""Which captioners there are, as plain data: folders with one of the families in them. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.catalog import folders, weights
from pipelines.catalog.entry import Entry
from pipelines.errors import InvalidRequest, ModelUnavailable
from pipelines.requests import CaptionRequest, CaptionStyle

# model_type of a config.json -> family. Another model is a line here and, if its inputs differ, a file beside blip.py.
FAMILIES = {
    "blip": "blip",
    "git": "git",
    "vision-encoder-decoder": "vit_gpt2",
    "florence2": "florence",
    "idefics3": "smol",
    "smolvlm": "smol",
    "qwen2_vl": "qwen",
    "qwen2_5_vl": "qwen",
    "qwen3_vl": "qwen",
}
SHORT_WRITERS = frozenset({CaptionStyle.SHORT, CaptionStyle.ALT})
STYLES = {"florence": SHORT_WRITERS | {CaptionStyle.DETAILED, CaptionStyle.TAGS},
          "smol": frozenset(CaptionStyle), "qwen": frozenset(CaptionStyle)}  # fmt: skip
OCR = ("ocr", "<ocr>", "what does it say?", "what is written there?", "写的是什么？")
TEXT_PARTS = ("text_config", "decoder")
VISION_PARTS = ("vision_config", "encoder")


@dataclass(frozen=True, slots=True)
class CaptionEntry(Entry[CaptionRequest]):
    """model_type: of its config.json. styles: those that the model itself can write; others are made from them.

    answers: it takes questions. reads: it can be asked for the text in a picture, and for nothing else.
    longest: most tokens that it can write; 0: more than anybody asks for. cost: bytes of memory of one row.
    """

    task: str = "caption"
    model_type: str = ""
    styles: frozenset[CaptionStyle] = SHORT_WRITERS
    answers: bool = False
    reads: bool = False
    longest: int = 0
    cost: int = 0

    def check(self, request: CaptionRequest) -> None:
        """Raises InvalidRequest with the first field that this model cannot do."""
        Entry.check(self, request)
        asked = request.question.strip()
        if asked and self.reads and asked.lower() not in OCR:
            raise InvalidRequest("question", asked, f"ocr for {self.name}, which reads the text in a picture, or none")
        if asked and not (self.answers or self.reads):
            raise InvalidRequest("question", asked, f"none for {self.name}, which only describes")
        if request.beams > 1 and request.temperature > 0:
            raise InvalidRequest("temperature", request.temperature, "0 with more than one beam")


def read(id: str, folder: Path, source: str, config: dict) -> Entry | None:
    """The entry of a folder with that `config.json`, or None where it holds something else."""
    kind, name = str(config.get("model_type")), id.rpartition("/")[2]
    if kind not in FAMILIES or not _writes(config):
        return None
    if kind == "florence2" and "auto_map" in config:
        raise ModelUnavailable(
            f"{name} brings code of its own, which is not run; "
            "florence-community/Florence-2-base is the same model without."
        )
    size, itemsize = weights.stored(folder, name)
    advice, family = folders.advice(folder, name), FAMILIES[kind]
    try:
        return CaptionEntry(
            id, str(advice.get("name", name)), source, folder, family=family, stored_bytes=size,
            stored_itemsize=itemsize, note=str(advice.get("note", "")), model_type=kind,
            styles=STYLES.get(family, SHORT_WRITERS), answers=family in ("smol", "qwen"), reads=family == "florence",
            longest=_longest(config) if family in ("blip", "git", "vit_gpt2") else 0, cost=_cost(config))  # fmt: skip
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ModelUnavailable(f"{name} is damaged: its settings are incomplete.") from error


def entries() -> list[Entry]:
    """No Python package brings one."""
    return []


def _writes(config: dict) -> bool:
    """BLIP also comes as a retriever and as a matcher, without the part that writes."""
    named = [str(name) for name in config.get("architectures") or []]
    return not named or any("Generation" in name or "CausalLM" in name or "EncoderDecoder" in name for name in named)


def _longest(config: dict) -> int:
    text = _part(config, TEXT_PARTS)
    return int(text.get("max_position_embeddings") or text.get("n_positions") or 512) - 1


def _cost(config: dict) -> int:
    """float32 numbers of one picture in the encoder, and of its keys and values in the decoder; on the safe side."""
    vision, text = _part(config, VISION_PARTS), _part(config, TEXT_PARTS)
    width, heads = _number(vision, 768, "hidden_size", "embed_dim"), _number(vision, 12, "num_attention_heads")
    tokens = (_number(vision, 384, "image_size") // _number(vision, 16, "patch_size")) ** 2 + 1
    hidden = _number(text, 768, "hidden_size", "d_model", "n_embd")
    layers = _number(text, 12, "num_hidden_layers", "n_layer", "decoder_layers")
    return 4 * (tokens * (14 * width + 2 * heads * tokens) + 4 * layers * hidden * tokens)


def _number(config: dict, usual: int, *names: str) -> int:
    """The first of those settings that is there; the last number where it is a list, one for each stage."""
    found = next((config[name] for name in names if config.get(name)), usual)
    return int(found[-1] if isinstance(found, list) else found)


def _part(config: dict, names: tuple[str, ...]) -> dict:
    return next((config[name] for name in names if isinstance(config.get(name), dict)), config)
