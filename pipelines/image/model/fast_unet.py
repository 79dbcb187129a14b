"""The UNet's blocks on a CPU with fewer and larger operations: the same numbers, up to rounding, in about two thirds
of the time.

A small latent is a few hundred numbers a channel, so calling an operation costs about as much as its arithmetic, and
diffusers' blocks call some two thousand of them a forward. Here query, key and value are one product; keys and values
of the prompt, which do not change over the steps, are made once a batch; what can be done in place is.

The weights stay where they were: the fused ones are the storage, and the modules' own are views of it. `undo` puts a
UNet back, as is needed before its modules or processors are exchanged (LoRA). Image prompts are looked at here too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers.models.activations import GEGLU
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from diffusers.models.embeddings import TextTimeEmbedding
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn
from torch.nn import functional

from pipelines.image.model import fast_conv
from pipelines.image.model.fast_conv import by_columns, product
from pipelines.image.model.ip_attention import ARGUMENT, Sight


def lean(unet: nn.Module) -> int:
    """Exchanges the forward of every block that is of the plain kind; gives how many there were."""
    found = 0
    for module in unet.modules():
        if forward := _leaner(module):
            module.forward = forward
            found += 1
    return found


def undo(unet: nn.Module) -> None:
    """All blocks compute as their classes say again."""
    for module in unet.modules():
        vars(module).pop("forward", None)


def _leaner(module: nn.Module) -> Callable | None:
    if type(module) is ResnetBlock2D and _plain_resnet(module):
        return _Resnet(module)
    if type(module) is Transformer2DModel and _plain_transformer(module):
        return _Transformer(module)
    if type(module) is nn.Conv2d and fast_conv.plain(module):
        return fast_conv.Convolution(module)
    if type(module) is TextTimeEmbedding:
        return _Remembered(module)
    return None


class _Remembered:
    """What a module makes of one tensor, kept as long as the very same tensor comes."""

    def __init__(self, module: nn.Module):
        self._module = module
        self._last: Tensor | None = None
        self._known: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        if x is not self._last:
            self._known = type(self._module).forward(self._module, x)
            self._last = x
        return self._known


class _Resnet:
    """`ResnetBlock2D.forward`: x + conv(silu(norm(conv(silu(norm(x))) + time)))."""

    def __init__(self, block: ResnetBlock2D):
        self.block = block
        self.norms = _group_norm(block.norm1), _group_norm(block.norm2)

    def __call__(self, input_tensor: Tensor, temb: Tensor, *_: object, **__: object) -> Tensor:
        block, (first, second) = self.block, self.norms
        time = block.time_emb_proj(functional.silu(temb))[:, :, None, None]
        x = block.conv1(functional.silu(first(input_tensor), inplace=True)).add_(time)
        x = block.conv2(functional.silu(second(x), inplace=True))
        return x.add_(input_tensor if block.conv_shortcut is None else block.conv_shortcut(input_tensor))


class _Transformer:
    """`Transformer2DModel.forward` over (rows · cells, channels), which channels_last pictures are already."""

    def __init__(self, module: Transformer2DModel):
        self.norm = _group_norm(module.norm)
        self.into, self.out = _linear(module.proj_in), _linear(module.proj_out)
        self.blocks = [_Block(block) for block in module.transformer_blocks]
        self.whole = module

    def __call__(self, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, **more: Any) -> tuple:
        if encoder_hidden_states is None or _special(**more):
            return type(self.whole).forward(self.whole, hidden_states, encoder_hidden_states, **more)
        rows, channels, height, width = hidden_states.shape
        x = self.norm(hidden_states).permute(0, 2, 3, 1).reshape(-1, channels)
        x = self.into(x)
        sight = (more.get("cross_attention_kwargs") or {}).get(ARGUMENT)
        for block in self.blocks:
            x = block(x, rows, encoder_hidden_states, sight)
        x = self.out(x).view(rows, height, width, channels).permute(0, 3, 1, 2)
        return (x.add_(hidden_states),)


def _special(*, return_dict: bool = True, cross_attention_kwargs: dict | None = None, timestep: Any = None,
             added_cond_kwargs: dict | None = None, **masks: Any) -> bool:  # fmt: skip
    """Whether a call asks for something that only the whole class can do."""
    return (
        return_dict
        or bool(set(cross_attention_kwargs or ()) - {ARGUMENT})
        or any(mask is not None for mask in masks.values())
    )


class _Block:
    """`BasicTransformerBlock.forward`: attention to the picture, to the prompt, and two layers on each cell.

    x: (rows · cells, channels), written over.
    """

    def __init__(self, block: BasicTransformerBlock):
        self.norms = [_layer_norm(norm) for norm in (block.norm1, block.norm2, block.norm3)]
        self.own, self.prompt = _Attention(block.attn1, fused=3), _Attention(block.attn2, fused=2)
        self.value, self.gate = _halves(block.ff.net[0].proj)
        self.narrow = _linear(block.ff.net[2])

    def __call__(self, x: Tensor, rows: int, texts: Tensor, sight: Sight | None) -> Tensor:
        first, second, third = self.norms
        x += self.own.to_itself(first(x), rows)
        x += self.prompt.to_texts(second(x), rows, texts, sight)
        cell = third(x)
        # two products, not halves of one: gelu takes several times as long over rows that do not lie side by side
        x += self.narrow(functional.gelu(self.gate(cell)).mul_(self.value(cell)))
        return x


class _Attention:
    """One attention. `fused`: how many of query, key and value, counted from the last, are one product."""

    def __init__(self, module: Attention, fused: int):
        self.module, self.heads = module, module.heads
        self.joint = _joined([module.to_q, module.to_k, module.to_v][3 - fused :])
        self.query = by_columns(module.to_q) if fused < 3 else None
        self.out = _linear(module.to_out[0])
        self._texts: Tensor | None = None
        self._known: tuple[Tensor, ...] = ()

    def to_itself(self, x: Tensor, rows: int) -> Tensor:
        """x: (rows · cells, channels), and so is what comes back."""
        query, key, value = self._split(x @ self.joint, rows, 3)
        return self._attended(query, key, value, x)

    def to_texts(self, x: Tensor, rows: int, texts: Tensor, sight: Sight | None) -> Tensor:
        """texts: (rows, tokens, width). Keys and values are kept as long as the very same tensor comes."""
        if texts is not self._texts:
            self._known = self._split(texts.flatten(0, 1) @ self.joint, rows, 2)
            self._texts = texts
        (query,), (key, value) = self._split(x @ self.query, rows, 1), self._known
        return self._attended(query, key, value, x, sight)

    def _split(self, joint: Tensor, rows: int, parts: int) -> tuple[Tensor, ...]:
        """(rows · n, parts · heads · d) -> parts of (rows, heads, n, d)."""
        cut = joint.view(rows, len(joint) // rows, parts, self.heads, joint.shape[1] // (parts * self.heads))
        return cut.permute(2, 0, 3, 1, 4).unbind(0)

    def _attended(self, query: Tensor, key: Tensor, value: Tensor, like: Tensor, sight: Sight | None = None) -> Tensor:
        seen = functional.scaled_dot_product_attention(query, key, value)
        if sight is not None:
            seen = sight.add(self.module, query, seen)
        return self.out(seen.transpose(1, 2).reshape(len(like), -1))


def _joined(layers: list[nn.Linear]) -> Tensor:
    """(in, sum of out): their weights in one storage, of which each layer's own becomes a view."""
    whole = torch.cat([layer.weight.data.t() for layer in layers], dim=1)
    for layer, part in zip(layers, whole.split([layer.out_features for layer in layers], dim=1), strict=True):
        layer.weight.data = part.t()
    return whole


def _halves(layer: nn.Linear) -> list[Callable[[Tensor], Tensor]]:
    """The first half of what a layer gives, and the second."""
    parts = by_columns(layer).chunk(2, dim=1)
    return [product(weight, bias) for weight, bias in zip(parts, layer.bias.data.chunk(2), strict=True)]


def _linear(layer: nn.Linear | nn.Conv2d) -> Callable[[Tensor], Tensor]:
    """Of 2-D input; a 1 x 1 convolution is one too."""
    return product(by_columns(layer), layer.bias)


def _group_norm(norm: nn.GroupNorm) -> Callable[[Tensor], Tensor]:
    settings = norm.num_groups, norm.weight, norm.bias, norm.eps
    return lambda x: torch.group_norm(x, *settings)


def _layer_norm(norm: nn.LayerNorm) -> Callable[[Tensor], Tensor]:
    settings = norm.normalized_shape, norm.weight, norm.bias, norm.eps
    return lambda x: torch.layer_norm(x, *settings)


def _plain_resnet(block: ResnetBlock2D) -> bool:
    return (
        block.upsample is None
        and block.downsample is None
        and block.time_emb_proj is not None
        and block.time_embedding_norm == "default"
        and not block.skip_time_act
        and block.output_scale_factor == 1.0
        and isinstance(block.nonlinearity, nn.SiLU)
    )


def _plain_transformer(module: Transformer2DModel) -> bool:
    return module.is_input_continuous and all(_plain_block(block) for block in module.transformer_blocks)


def _plain_block(block: nn.Module) -> bool:
    return (
        type(block) is BasicTransformerBlock
        and block.norm_type == "layer_norm"
        and block.pos_embed is None
        and not block.only_cross_attention
        and block.attn2 is not None
        and block.attn2.is_cross_attention
        and block._chunk_size is None
        and type(block.ff.net[0]) is GEGLU
        and block.ff.net[0].proj.bias is not None
        and _plain_attention(block.attn1)
        and _plain_attention(block.attn2)
    )


def _plain_attention(module: Attention) -> bool:
    extras = (module.group_norm, module.spatial_norm, module.norm_q, module.norm_k, module.norm_cross)
    return (
        type(module.processor) is AttnProcessor2_0
        and not any(extras)
        and not module.use_bias
        and not module.residual_connection
        and module.rescale_output_factor == 1.0
        and all(type(layer) is nn.Linear for layer in (module.to_q, module.to_k, module.to_v, module.to_out[0]))
    )
