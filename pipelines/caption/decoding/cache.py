"""Keys and values of many jobs' rows: laid side by side for a block of tokens, and given back after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer, EncoderDecoderCache

BUCKET = 16  # tokens that a buffer grows by: a block

Layers = list[tuple[Tensor, Tensor]]  # of each layer keys and values, both (rows, heads, tokens, width)


@dataclass(slots=True)
class KeyValues:
    """One job's part between blocks. own: a line a candidate. cross: of the picture, one line; empty where unused."""

    own: Layers
    cross: Layers


class Bucketed(DynamicLayer):
    """A layer that writes into a buffer with room for the next tokens, where DynamicLayer copies all for each one."""

    keys: Tensor
    values: Tensor

    def __init__(self, keys: Tensor | None = None, values: Tensor | None = None):
        super().__init__()
        self._keys: Tensor | None = None
        self._values: Tensor | None = None
        if keys is not None and values is not None:
            self.update(keys, values)

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        past = self.get_seq_length()
        after = past + key_states.shape[-2]
        if self._keys is None or self._values is None or after > self._keys.shape[-2]:
            self._keys = _roomier(self.keys, key_states, after)
            self._values = _roomier(self.values, value_states, after)
        self._keys[..., past:after, :] = key_states
        self._values[..., past:after, :] = value_states
        self.keys, self.values = self._keys[..., :after, :], self._values[..., :after, :]
        return self.keys, self.values


def empty(crossed: bool) -> Cache:
    """For a first forward. crossed: the decoder looks at the picture by cross attention."""
    own = Cache(layer_class_to_replicate=Bucketed)
    return EncoderDecoderCache(own, Cache(layer_class_to_replicate=Bucketed)) if crossed else own


def join(parts: Sequence[KeyValues], rows: Sequence[int]) -> Cache:
    """One cache of all jobs' rows. rows: how many each job has."""
    own = Cache(layers=[Bucketed(*pair) for pair in _joined([part.own for part in parts])])
    if not parts[0].cross:
        return own
    cross = [_repeated(part.cross, count) for part, count in zip(parts, rows, strict=True)]
    return EncoderDecoderCache(own, Cache(layers=[_plain(*pair) for pair in _joined(cross)]))


def split(cache: Cache, rows: Sequence[int]) -> list[KeyValues]:
    """The reverse of `join`: a part for each job, `rows[i]` lines long. Views, nothing is copied."""
    own, cross = _layers(cache)
    kept, first = [], 0
    for count in rows:
        some = slice(first, first + count)
        kept.append(KeyValues([(k[some], v[some]) for k, v in own], [(k[first : first + 1], v[first : first + 1])
                                                                for k, v in cross] if count else []))  # fmt: skip
        first += count
    return kept


def only(cache: Cache, rows: Tensor) -> Cache:
    """Those rows, in that order; a row may be named several times."""
    own, cross = _layers(cache)
    taken = Cache(layers=[Bucketed(k[rows], v[rows]) for k, v in own])
    if not isinstance(cache, EncoderDecoderCache):
        return taken
    return EncoderDecoderCache(taken, Cache(layers=[_plain(k[rows], v[rows]) for k, v in cross]))


def _layers(cache: Cache) -> tuple[Layers, Layers]:
    if not isinstance(cache, EncoderDecoderCache):
        return [(layer.keys, layer.values) for layer in cache.layers], []
    own, cross = cache.self_attention_cache.layers, cache.cross_attention_cache.layers
    return [(layer.keys, layer.values) for layer in own], [(layer.keys, layer.values) for layer in cross]


def _joined(parts: Sequence[Layers]) -> Layers:
    if len(parts) == 1:
        return parts[0]
    return [(torch.cat([pair[0] for pair in layer]), torch.cat([pair[1] for pair in layer]))
            for layer in zip(*parts, strict=True)]  # fmt: skip


def _repeated(layers: Layers, count: int) -> Layers:
    return [(k.expand(count, -1, -1, -1), v.expand(count, -1, -1, -1)) for k, v in layers]


def _plain(keys: Tensor, values: Tensor) -> DynamicLayer:
    """A picture's part is never added to."""
    layer = DynamicLayer()
    layer.lazy_initialization(keys, values)
    layer.keys, layer.values = keys, values
    return layer


def _roomier(old: Tensor, new: Tensor, needed: int) -> Tensor:
    room = -(-(needed + 1) // BUCKET) * BUCKET
    buffer = new.new_empty((*new.shape[:-2], room, new.shape[-1]))
    if old.numel():
        buffer[..., : old.shape[-2], :] = old
    return buffer
