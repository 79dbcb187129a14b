"""Opens image prompts: what turns pictures into vectors, the projection to tokens, and keys and values in every block.

Safetensors only. The formats are those that diffusers' `load_ip_adapter` takes: IP-Adapter, its Plus and its Full kind.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import torch
from diffusers.models.attention_processor import AttnProcessor2_0
from diffusers.models.embeddings import ImageProjection, IPAdapterFullImageProjection, IPAdapterPlusImageProjection
from PIL.Image import Image
from safetensors.torch import load_file
from torch import Tensor

from pipelines.errors import ModelUnavailable
from pipelines.image.model.ip_attention import SeeingProcessor, Weights
from pipelines.runtime import devices
from pipelines.runtime.options import quiet

if TYPE_CHECKING:
    from pipelines.image.entry import ImageEntry
    from pipelines.image.model.parts import Parts
    from pipelines.image.prompt.ip_adapter_files import AdapterFiles

REMEMBERED = 32  # pictures' vectors
# Blocks of SDXL that carry style and layout (InstantStyle, Wang et al. 2024), as in diffusers' guide to IP-Adapter.
STYLE, LAYOUT = "up_blocks.0.attentions.1", "down_blocks.2.attentions.1"
_KINDS = (ImageProjection, IPAdapterPlusImageProjection, IPAdapterFullImageProjection)


class Adapter:
    """Of one model. weights: keys and values of each attention; style, layout: names of those blocks' attentions,
    empty where the model has no such map."""

    def __init__(self, weights: Weights, projection: Any, encoder: Any, processor: Any, *, unit: bool, sdxl: bool):
        self.weights, self._projection, self._encoder = weights, projection, encoder
        self._processor, self._unit = processor, unit
        self.names = frozenset(name for name, *_ in weights.values())
        self.style = self._named(STYLE) if sdxl else frozenset()
        self.layout = self._named(LAYOUT) if sdxl else frozenset()
        self._known: OrderedDict[str, Tensor] = OrderedDict()
        matrices = [matrix for _, *both in weights.values() for matrix in both]
        self.nbytes = devices.nbytes(projection, encoder) + sum(m.numel() * m.element_size() for m in matrices)

    def look(self, sha: str, image: Image) -> Tensor:
        """The picture as vectors, (1, D) or (1, patches, D)."""
        if sha not in self._known:
            self._known[sha] = self._encoded(self._processor(image, return_tensors="pt").pixel_values)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return self._known[sha]

    def nothing(self) -> Tensor:
        """What stands for no picture, as diffusers has it: noughts, or a picture of noughts."""
        side = self._encoder.config.image_size
        if isinstance(self._projection, ImageProjection):
            return torch.zeros(1, self._encoder.config.projection_dim, device=self._device, dtype=self._dtype)
        return self._encoded(torch.zeros(1, 3, side, side))

    def tokens(self, seen: Tensor) -> Tensor:
        """(T, width) of one picture's vectors."""
        return self._projection(seen).flatten(0, 1)

    def _encoded(self, pixels: Tensor) -> Tensor:
        plain = isinstance(self._projection, ImageProjection)
        out = self._encoder(pixels.to(self._device, self._dtype), output_hidden_states=not plain)
        if not plain:
            return out.hidden_states[-2]
        return torch.nn.functional.normalize(out.image_embeds, dim=-1) if self._unit else out.image_embeds

    def _named(self, block: str) -> frozenset[str]:
        return frozenset(name for name in self.names if name.startswith(block + "."))

    @property
    def _device(self) -> torch.device:
        return self._encoder.device

    @property
    def _dtype(self) -> torch.dtype:
        return self._encoder.dtype


def load(entry: ImageEntry, parts: Parts) -> Adapter:
    """The model's adapter, and its denoiser's attentions taught to look. Raises ModelUnavailable."""
    files = entry.adapter
    if files is None or files.fault:
        raise ModelUnavailable(files.fault if files else f"{entry.name} has no image prompts.")
    try:
        with quiet():
            return _opened(entry, files, parts)
    except ModelUnavailable:
        raise
    except Exception as error:
        raise ModelUnavailable(
            f"The IP-Adapter of {entry.name} cannot be opened: damaged, or of another kind."
        ) from error


def _opened(entry: ImageEntry, files: AdapterFiles, parts: Parts) -> Adapter:
    stored: dict[str, dict[str, Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for name, value in load_file(files.file).items():
        kind, _, rest = name.partition(".")
        stored.setdefault(kind, {})[rest] = value.to(parts.device, parts.dtype)
    projection = parts.unet._convert_ip_adapter_image_proj_to_diffusers(stored["image_proj"], low_cpu_mem_usage=False)
    if not isinstance(projection, _KINDS):
        raise ModelUnavailable(f"The IP-Adapter of {entry.name} wants faces that a detector has found; not supported.")
    encoder = _eyes(entry, files, parts)
    projection = projection.to(parts.device, parts.dtype).eval().requires_grad_(False)
    weights = _weights(entry, parts.unet, stored["ip_adapter"])
    return Adapter(weights, projection, encoder, _processor(files, encoder), unit=files.unit, sdxl=parts.sdxl)


def _eyes(entry: ImageEntry, files: AdapterFiles, parts: Parts) -> Any:
    from transformers import CLIPVisionModelWithProjection

    eyes, told = CLIPVisionModelWithProjection.from_pretrained(
        files.encoder, use_safetensors=True, local_files_only=True, dtype=parts.dtype, output_loading_info=True
    )
    if [key for key in told["missing_keys"] if "position_ids" not in key] or told["mismatched_keys"]:
        raise ModelUnavailable(f"The image encoder of {entry.name} is damaged: it lacks some of its weights.")
    return eyes.to(parts.device).eval().requires_grad_(False)


def _weights(entry: ImageEntry, unet: Any, stored: dict[str, Tensor]) -> Weights:
    """diffusers numbers the attentions to the prompt 1, 3, 5 … in the order of `attn_processors`."""
    modules, found = dict(unet.named_modules()), {}
    names = [name.removesuffix(".processor") for name in unet.attn_processors]
    for number, name in enumerate(name for name in names if name.endswith("attn2")):
        keys, values = (stored[f"{2 * number + 1}.to_{which}_ip.weight"] for which in "kv")
        attention = modules[name]
        if keys.shape != attention.to_k.weight.shape or not isinstance(attention.processor, AttnProcessor2_0):
            raise ModelUnavailable(f"The IP-Adapter in the folder of {entry.name} is made for another base model.")
        found[attention] = name, keys, values
    if 2 * len(found) != len(stored):
        raise ModelUnavailable(f"The IP-Adapter in the folder of {entry.name} is made for another base model.")
    for attention in found:
        attention.processor = SeeingProcessor()
    return found


def _processor(files: AdapterFiles, encoder: Any) -> Any:
    """The encoder's own; else the one that diffusers assumes."""
    from transformers import CLIPImageProcessorPil

    if (files.encoder / "preprocessor_config.json").is_file():
        return CLIPImageProcessorPil.from_pretrained(files.encoder, local_files_only=True)
    size = encoder.config.image_size
    return CLIPImageProcessorPil(size={"shortest_edge": size}, crop_size={"height": size, "width": size})
