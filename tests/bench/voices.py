"""Voices called directly, as their own packages say, and the table that lays them beside ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np

from pipelines.catalog.catalog import BUNDLED, Catalog
from pipelines.speech import catalog

Speak = Callable[[str], Iterable[np.ndarray]]  # the sound of a text, a part after the other
NOT_HERE = "not here"


@dataclass(frozen=True, slots=True)
class Heard:
    """first, work: processor seconds until the first part and until the last; sound: seconds of what was said."""

    first: float
    work: float
    sound: float


def listen(parts: Iterable[np.ndarray], rate: int) -> Heard:
    """Takes all of it; arrays of samples."""
    began, first, samples = time.process_time(), 0.0, 0
    for part in parts:
        first = first or time.process_time() - began
        samples += len(part)
    return Heard(first, time.process_time() - began, samples / rate)


def direct() -> dict[str, tuple[str, Speak, int]]:
    """Name of a package -> (our id of the same voice, its own call, Hz), for those whose weights are here."""
    from hibari import Hibari

    bare = Hibari()
    voices: dict[str, tuple[str, Speak, int]] = {
        "hibari": ("hibari", lambda text: bare.stream(text, seed=1), bare.sample_rate)
    }
    if joe := catalog.joe():
        from piper import PiperVoice

        piper = PiperVoice.load(catalog.onnx_file(joe.folder))
        voices["piper"] = (
            joe.id,
            lambda text: (part.audio_float_array for part in piper.synthesize(text)),
            piper.config.sample_rate,
        )
    if entry := next((e for e in Catalog([BUNDLED]).entries() if getattr(e, "family", "") == "kokoro"), None):
        from kokoro_onnx import Kokoro

        kokoro = Kokoro(str(catalog.onnx_file(entry.folder)), str(catalog.kokoro_voices(entry.folder)))
        voices["kokoro"] = (entry.id, lambda text: [kokoro.create(text, entry.voices[0])[0]], 24_000)
    return voices


def table(heard: Mapping[str, Mapping[str, list[Heard]]], texts: Mapping[str, str]) -> str:
    """heard: text -> who -> what each repeat took. Medians."""
    lines = [f"{'processor time':22}{'first sound':>14}{'whole text':>14}{'per second of sound':>22}{'sound':>10}"]
    for text, by in heard.items():
        lines.append(f"{text}, {len(texts[text])} characters")
        for who, takes in by.items():
            first, work = (median(getattr(take, key) for take in takes) for key in ("first", "work"))
            sound = median(take.sound for take in takes)
            lines.append(
                f"  {who:20}{first * 1e3:11.0f} ms{work * 1e3:11.0f} ms{work / sound * 1e3:19.1f} ms{sound:8.1f} s"
            )
    missing = [name for name in ("piper", "kokoro") if not any(f"{name} itself" in by for by in heard.values())]
    return "\n".join([*lines, *(f"  {name:20}{NOT_HERE:>14}" for name in missing)])
