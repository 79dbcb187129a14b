"""How models are opened, and how it is told how far that is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers.utils import logging as diffusers_talk
from transformers.utils import logging as talk

Progress = Callable[[str, float], None]  # what is being done, 0…1


@dataclass(frozen=True, slots=True)
class Options:
    """How models are opened.

    tight: memory is short, so idle parts are kept off the device. compiled: torch.compile the denoiser. offload: never
    more than one part on the device, however much room there is. room, activations: bytes of weights that the device
    may hold at once, and bytes beside them; 0: as many as there are.
    """

    device: torch.device
    dtype: torch.dtype
    tight: bool = False
    compiled: bool = False
    offload: bool = False
    room: int = 0
    activations: int = 0


class quiet:  # used like a function
    """The libraries' progress bars and remarks stay out of the log while a part loads."""

    def __enter__(self) -> None:
        self._before = logging.root.manager.disable
        self._loud = [library for library in (talk, diffusers_talk) if library.is_progress_bar_enabled()]
        logging.disable(logging.WARNING)
        for library in self._loud:
            library.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        logging.disable(self._before)
        for library in self._loud:
            library.enable_progress_bar()
