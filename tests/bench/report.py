"""What was measured, what was promised, and a table of both."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Target:
    """`bound` is included; better: "less" or "more"."""

    better: str
    bound: float

    def met(self, value: float) -> bool:
        return value <= self.bound if self.better == "less" else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.better == 'less' else '≥'} {self.bound:g}"


TARGETS = {
    "batching_of_headroom": Target("more", 0.90),
    "caption_of_best_batch": Target("more", 0.95),
    "caption_single_p95_in_batch": Target("less", 2),
    "early_stop_rows_saved": Target("more", 0.40),
    "early_stop_same_winner": Target("more", 0.80),
    "gate_monotonic": Target("more", 1),
    "gate_auto_beats_half": Target("more", 0.65),
    "search_100k_ms": Target("less", 30),
    "gallery_start_seconds": Target("less", 2),
    "gallery_delete_ms": Target("less", 5),
    "gallery_delete_1000_seconds": Target("less", 3),
    "gallery_words_ms": Target("less", 30),
    "speech_first_sound_seconds": Target("less", 0.15),
    "speech_cost_over_voice": Target("less", 0.03),
    "speech_first_of_whole": Target("less", 0.34),
    "speech_piper_cost_over_voice": Target("less", 0.03),
    "speech_piper_first_of_whole": Target("less", 0.34),
    "speech_concurrent_of_sequential": Target("less", 1.05),
    "short_p95_of_fifo": Target("less", 0.20),
    "long_mean_of_fifo": Target("less", 1.3),
    "overhead_fraction": Target("less", 0.03),
    "steps_after_cancel": Target("less", 1),
    "preview_cost": Target("less", 0.01),
    "jain": Target("more", 0.98),
    "page_seconds": Target("less", 4),
    "page_beyond_gradio_seconds": Target("less", 1),
    "cold_picture_seconds": Target("less", 15),
    "warm_picture_seconds": Target("less", 1.5),
    "next_ms_8_active": Target("less", 0.2),
    "next_ms_1000_queued": Target("less", 1.0),
}


class Samples:
    """Paired measurements: every key gets one value a repeat; what is told is the median."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def add(self, **measured: float) -> None:
        for key, value in measured.items():
            self.values.setdefault(key, []).append(float(value))

    def flat(self) -> dict[str, float | int]:
        """Medians, and beside them how many repeats each one stands on."""
        medians = {key: round(median(values), 5) for key, values in self.values.items()}
        return medians | {f"{key}_repeats": len(values) for key, values in self.values.items()}

    def rows(self) -> Iterable[str]:
        for key, values in self.values.items():
            target, promised = TARGETS.get(key), ""
            if target:
                promised = f"{target!s:>8}  {'met' if target.met(median(values)) else 'MISSED':6}"
            spread = f"{min(values):.4g} … {max(values):.4g}" if len(values) > 1 else ""
            yield f"{key:30} {median(values):10.4g}   {promised:16} {len(values):4}   {spread}"


HEAD = f"{'':30} {'median':>10}   {'target':>8}  {'':6} {'n':>4}   least … most"


def save(samples: Samples, about: dict[str, object], file: Path) -> None:
    """One flat JSON object: key, key_repeats, and what was measured on what. Keys of other runs are not kept."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(about | samples.flat(), indent=1) + "\n")
