"""What the voices made of torch share: their parts opened safely, draws that repeat, speed where a model has none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from pipelines.catalog import folders
from pipelines.catalog.entry import Entry
from pipelines.catalog.hub import HUB_ID
from pipelines.errors import ModelUnavailable
from pipelines.runtime.options import Options
from pipelines.speech.audio.loudness import Chain
from pipelines.speech.audio.segments import FULL
from pipelines.speech.voice import Samples

_WANTED = ("*.json", "*.safetensors", "*.txt")
SAFE = (".npy", ".safetensors")  # of arrays


def full(options: Options) -> Options:
    """Voices are small and in half precision they rustle."""
    return replace(options, dtype=torch.float32)


def companion(entry: Entry, part: str, known_as: str) -> Entry:
    """The entry of a second model that this one needs: in its sub-folder, or by its id on Hugging Face.

    Raises ModelUnavailable with what is missing, which command fetches it, and where else it may lie.
    """
    inside = entry.place / part
    if (inside / "config.json").is_file():
        return replace(entry, folder=inside, name=f"{entry.name} ({part})")
    from huggingface_hub import snapshot_download

    if not HUB_ID.fullmatch(known_as):
        raise ModelUnavailable(f"{entry.name} is incomplete: it has no sub-folder {part}.")
    try:
        folder = snapshot_download(known_as, allow_patterns=list(_WANTED))
    except Exception as error:
        raise ModelUnavailable(
            f"{entry.name} also needs {known_as}, which is not on this machine and cannot be fetched now; "
            f"`hf download {known_as}` fetches it, or put it into the model's sub-folder {part}."
        ) from error
    return replace(entry, folder=Path(folder), name=known_as)


def arrays(file: Path, name: str) -> dict[str, np.ndarray]:
    """The arrays of a .safetensors or .npy file. Raises ModelUnavailable; never opens a pickle."""
    try:
        if file.suffix == ".safetensors":
            from safetensors.numpy import load_file

            return load_file(file)
        return {"": np.load(file, allow_pickle=False)}
    except Exception as error:
        raise ModelUnavailable(f"{name} is damaged: its voice {file.stem} cannot be read.") from error


@contextmanager
def seeded(seed: int | None, device: torch.device) -> Iterator[None]:
    """Inference whose draws come from that seed; the generators of others are as they were afterwards."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.inference_mode():
        if seed is not None:
            torch.manual_seed(seed)
        yield


def samples(waveform: torch.Tensor) -> Samples:
    return waveform.detach().float().cpu().numpy().reshape(-1)


def stretched(sound: Samples, rate: int, speed: float) -> Samples:
    """The same pitch in 1/speed of the time (FFmpeg's `atempo`), for models that know one speed only."""
    if speed == 1.0 or not len(sound):
        return sound
    chain = Chain(rate, [("atempo", f"{speed:.4f}")])
    level = max(float(np.abs(sound).max()), 1e-6)
    whole = np.rint(sound / level * FULL).astype("<i2")
    frames: list[av.AudioFrame] = [*chain.through(whole), *chain.rest()]
    if not frames:  # a few hundredths of a second: too short for the filter
        return sound
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.float32) * (level / FULL)


def setting(folder: Path, file: str, name: str) -> dict[str, Any]:
    """A JSON file that may be missing."""
    return folders.config(folder, file, name) if (folder / file).is_file() else {}
