"""Small vision-language chat models: styles by instruction, and questions about the picture.

Their processors of transformers want packages for films (torchvision, num2words), so prompts are laid out here:
the chat template around an instruction, and as many picture tokens as the picture has parts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pipelines.caption.models.base import Family, Inputs
from pipelines.caption.styles import INSTRUCTIONS
from pipelines.errors import ModelUnavailable
from pipelines.requests import CaptionRequest

if TYPE_CHECKING:
    from PIL.Image import Image
    from transformers.cache_utils import Cache

MOST_PIXELS = 1280 * 28 * 28  # for Qwen, whose own limit is 16 times as much: 16,384 tokens for one picture


class Chat(Family):
    """AutoModelForImageTextToText. Subclasses say how a picture is written into a prompt."""

    crossed = False
    kind = "AutoModelForImageTextToText"

    def prepared(self) -> None:
        self._template = self.tokenizer.chat_template or _template(self.entry)
        self.image_token = self.tokenizer.convert_ids_to_tokens(self.model.config.image_token_id)

    def read(self, request: CaptionRequest, picture: Image) -> Inputs:
        asked = request.question.strip() or INSTRUCTIONS[request.style]
        content = [{"type": "image"}, {"type": "text", "text": self._harmless(asked)}]
        prompt = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], chat_template=self._template, tokenize=False,
            add_generation_prompt=True)  # fmt: skip
        inputs, picture_text = self.look(picture)
        whole = prompt.replace(self.image_token, picture_text, 1)
        ids = self.tokenizer(whole, add_special_tokens=False, return_tensors="pt")["input_ids"]
        return {"input_ids": ids, **inputs}

    def look(self, picture: Image) -> tuple[Inputs, str]:
        """The picture's numbers, and what stands for it in the prompt."""
        raise TypeError(self.entry.family)

    def advance(self, ids: Tensor, cache: Cache, length: int, memory: Tensor | None) -> Tensor:
        places = torch.full_like(ids, length)
        return self._decoded(cache, input_ids=ids, position_ids=places)

    def prefill(self, inputs: Inputs, cache: Cache) -> tuple[Tensor, Tensor | None]:
        return self._decoded(cache, **inputs), None

    def beams(self, inputs: Inputs, **how: Any) -> list[list[int]]:
        prompt = inputs["input_ids"].shape[1]
        return self.model.generate(**inputs, do_sample=False, **how)[:, prompt:].tolist()

    def text(self, ids: Sequence[int]) -> str:
        written = self.tokenizer.decode(ids, skip_special_tokens=True).strip()
        return written.removeprefix("Assistant:").strip(' "')

    def _decoded(self, cache: Cache, **inputs: Any) -> Tensor:
        return self.model(**inputs, cache=cache, use_cache=True, logits_to_keep=1).logits[:, -1]

    def _harmless(self, text: str) -> str:
        """A question cannot bring pictures or end its own turn."""
        for token in {*self.tokenizer.all_special_tokens, self.image_token}:
            text = text.replace(token, " ")
        return text


class Smol(Chat):
    """SmolVLM and Idefics3: a picture is cut into tiles, each with its own tokens."""

    def look(self, picture: Image) -> tuple[Inputs, str]:
        from transformers.models.smolvlm.processing_smolvlm import get_image_prompt_string

        found = self.processor([[picture]], return_row_col_info=True, return_tensors="pt")
        rows, columns = int(found["rows"][0][0]), int(found["cols"][0][0])
        text = get_image_prompt_string(rows, columns, self._tokens(), "<fake_token_around_image>", self.image_token,
                                       "<global-img>")  # fmt: skip
        return {name: found[name] for name in ("pixel_values", "pixel_attention_mask") if name in found}, text

    def _tokens(self) -> int:
        config = self.model.config
        side = config.vision_config.image_size // config.vision_config.patch_size
        return side**2 // config.scale_factor**2


class Qwen(Chat):
    """Qwen2-VL, Qwen2.5-VL, Qwen3-VL: pictures of any shape, and places of three numbers (M-RoPE).

    memory: (J, 1), how far the places of the text are from the number of its tokens.
    """

    def look(self, picture: Image) -> tuple[Inputs, str]:
        if (share := MOST_PIXELS / (picture.width * picture.height)) < 1:
            picture = picture.resize(tuple(max(1, int(side * share**0.5)) for side in picture.size))
        found = self.processor([picture], return_tensors="pt")
        tokens = int(found["image_grid_thw"][0].prod()) // self.processor.merge_size**2
        return {name: found[name] for name in ("pixel_values", "image_grid_thw")}, self.image_token * tokens

    def prefill(self, inputs: Inputs, cache: Cache) -> tuple[Tensor, Tensor]:
        ids, kinds = inputs["input_ids"], self._kinds(inputs)
        places, shift = self.model.model.get_rope_index(ids, mm_token_type_ids=kinds,
                                                        image_grid_thw=inputs["image_grid_thw"])  # fmt: skip
        return self._decoded(cache, **inputs, mm_token_type_ids=kinds, position_ids=places), shift

    def advance(self, ids: Tensor, cache: Cache, length: int, memory: Tensor | None) -> Tensor:
        shift = torch.zeros_like(ids) if memory is None else memory
        places = (length + shift).expand(3, -1, -1)
        return self._decoded(cache, input_ids=ids, position_ids=places)

    def beams(self, inputs: Inputs, **how: Any) -> list[list[int]]:
        return super().beams({**inputs, "mm_token_type_ids": self._kinds(inputs)}, **how)

    def _kinds(self, inputs: Inputs) -> Tensor:
        return (inputs["input_ids"] == self.model.config.image_token_id).int()


def _template(entry: Any) -> str:
    """Older folders keep the template of the whole processor in a file of its own."""
    file = entry.folder / "chat_template.json"
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["chat_template"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(f"{entry.name} is incomplete: its chat template is missing.") from error
