"""Where a model's parts compute: on the device for good, there by turns, or layer by layer; and how fast."""

from __future__ import annotations

import logging
import os
import shutil
from typing import TYPE_CHECKING, Any

import torch
from accelerate import cpu_offload
from accelerate.hooks import ModelHook, add_hook_to_module
from accelerate.utils import send_to_device

from pipelines.image import entry
from pipelines.image.model.fast_unet import lean
from pipelines.runtime.devices import nbytes

if TYPE_CHECKING:
    from pipelines.image.model.parts import Parts
    from pipelines.runtime.options import Options

CPU = torch.device("cpu")
COMPILERS = ("g++", "clang++", "c++", "cl")
log = logging.getLogger(__name__)


class Turns(ModelHook):
    """Parts come to the device when they are called; those that were called longest ago leave for main memory.

    room: bytes of weights that may be there together; the part that is called comes in any case.
    """

    def __init__(self, device: torch.device, room: int):
        self.device, self.room = device, room
        self.present: list[torch.nn.Module] = []  # the latest last

    def pre_forward(self, module: torch.nn.Module, *args: Any, **kwargs: Any) -> tuple:
        if module in self.present:
            self.present.remove(module)
        self._make_room(nbytes(module))
        self.present.append(module.to(self.device))
        return send_to_device(args, self.device), send_to_device(kwargs, self.device)

    def _make_room(self, needed: int) -> None:
        while self.present and sum(map(nbytes, self.present)) + needed > self.room:
            self.present.pop(0).to(CPU)


def place(parts: Parts, options: Options) -> None:
    """Onto the device, or in main memory until they are called; `parts.nbytes` becomes what the device holds."""
    for picture in (parts.unet, parts.vae):
        picture.to(memory_format=parts.memory_format)
    modules = [*parts.text_encoders, parts.unet, parts.vae]
    if options.tight and options.device.type == "mps":
        parts.unet.set_attention_slice("auto")  # elsewhere torch never holds a whole attention matrix
    _cut_tiles(parts, options)
    if (options.tight or options.offload) and options.device.type != "cpu":
        parts.nbytes = offload(modules, options.device, options.room, alone=options.offload)
        return
    for module in modules:
        module.to(options.device)
    _quicken(parts, options)


def offload(modules: list[torch.nn.Module], device: torch.device, room: int, *, alone: bool = False) -> int:
    """Parts go to the device by turns, layer by layer where one part alone exceeds `room` bytes of weights (0: none
    does). alone: never two parts at once. Gives the bytes of weights that the device will hold at most."""
    small = [module for module in modules if not room or nbytes(module) <= room]
    most = max(map(nbytes, small), default=0) if alone else min(sum(map(nbytes, small)), room or 2**62)
    turns = Turns(device, most)
    for module in modules:
        if module in small:
            add_hook_to_module(module, turns)
        else:
            cpu_offload(module, execution_device=device)
    return most


def _cut_tiles(parts: Parts, options: Options) -> None:
    """Pictures are coded in tiles only where they would not fit in whole: tiles are seen a little at their seams."""
    parts.tile_above = options.activations // entry.DECODE_BYTES_PER_PIXEL
    if hasattr(parts.vae, "tile_sample_min_size"):
        parts.vae.tile_sample_min_size = entry.TILE
        parts.vae.tile_latent_min_size = entry.TILE // parts.factor


def _quicken(parts: Parts, options: Options) -> None:
    if options.compiled and compiles(options.device):
        parts.unet.forward = Compiled(parts.unet)
    elif options.device.type == "cpu":
        lean(parts.unet)


class Compiled:
    """A module's forward, compiled at the first call. Where that fails, it is computed as it stands from then on."""

    def __init__(self, module: torch.nn.Module):
        self._module, self._plain = module, module.forward
        self._quick = torch.compile(self._plain, dynamic=True)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from torch._dynamo.exc import TorchDynamoException

        try:
            return self._quick(*args, **kwargs)
        except TorchDynamoException:
            log.warning("The denoiser cannot be compiled: steps are computed without", exc_info=True)
            self._module.forward = self._plain
            return self._plain(*args, **kwargs)


def compiles(device: torch.device) -> bool:
    """Whether torch.compile has what it needs: for CPUs a C++ compiler (CXX, if it is not one of the usual ones)."""
    if device.type != "cpu" or any(shutil.which(name) for name in (os.environ.get("CXX") or "", *COMPILERS) if name):
        return True
    log.warning("--compile needs a C++ compiler on a CPU, and there is none: steps are computed without")
    return False
