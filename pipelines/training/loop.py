"""One training run: schedule, averaged weights, progress line, and checkpoints without pickle.

Randomness comes from (seed, step) alone, so a resumed run draws what the uninterrupted one would have drawn.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


@dataclass(frozen=True)
class Budget:
    """How long to train: `minutes` of wall clock or a number of `steps`. The schedule follows whichever is given."""

    minutes: float = 0.0
    steps: int = 0

    def progress(self, step: int, seconds: float) -> float:
        """How much of the budget is used, 0 to 1 and beyond."""
        return step / self.steps if self.steps else seconds / (60 * self.minutes)


def learning_rate(progress: float, warm: float = 0.01, fall: float = 0.4) -> float:
    """Factor of the peak rate: linear warm-up, constant, cosine fall over the last `fall` of the budget."""
    up = min(1.0, (progress + 1e-3) / warm) if warm else 1.0
    down = max(0.0, (progress - (1 - fall)) / fall)
    return up * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, down))))


def generators(seed: int, step: int) -> tuple[np.random.Generator, torch.Generator]:
    """Numpy's and torch's generator for one step."""
    draw = np.random.default_rng((seed, step))
    return draw, torch.Generator().manual_seed(int(draw.integers(2**62)))


@dataclass
class Run:
    """A model in training. `step`, `seen` (pictures) and `seconds` go on over restarts."""

    folder: Path
    model: nn.Module
    optimizer: torch.optim.Optimizer
    decay: float = 0.999
    seed: int = 1
    step: int = 0
    seen: int = 0
    seconds: float = 0.0
    minutes: float = 0.0
    history: list = field(default_factory=list)
    average: dict[str, Tensor] = field(default_factory=dict)
    peaks: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settle()
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]

    def settle(self) -> None:
        """The average begins at the model as it is."""
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def update(self, loss: Tensor, factor: float, clip: float = 1.0) -> None:
        """One optimizer step on `loss` at `factor` of the peak rate, then the averaged weights follow."""
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * factor
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        # Early on a slow average would mostly hold the random start (Karras et al. 2022, appendix F.1).
        weight = 1 - min(self.decay, (1 + self.step) / (10 + self.step))
        live = self.model.state_dict()
        names = [k for k, v in self.average.items() if v.is_floating_point()]
        torch._foreach_lerp_([self.average[k] for k in names], [live[k] for k in names], weight)

    def train(self, batch_of: Callable, loss_of: Callable, budget: Budget, save_minutes: float = 3.0) -> None:
        """Until the budget is used: `batch_of(draw)` prepares a batch in a thread of its own while the last one is
        learnt from, `loss_of(batch, generator)` gives (loss, pictures). Ctrl-C saves and stops."""
        saved = shown = time.monotonic()
        losses: list[float] = []
        pool = ThreadPoolExecutor(1)
        coming = pool.submit(batch_of, generators(self.seed, self.step)[0])
        try:
            while budget.progress(self.step, self.seconds) < 1:
                begin = time.monotonic()
                batch = coming.result()
                coming = pool.submit(batch_of, generators(self.seed, self.step + 1)[0])
                loss, pictures = loss_of(batch, generators(self.seed, self.step)[1])
                self.update(loss, learning_rate(budget.progress(self.step, self.seconds)))
                self.seen += pictures
                losses.append(loss.item())
                now = time.monotonic()
                self.seconds += now - begin
                if now - shown > 15:
                    self.show(losses, pictures * len(losses) / (now - shown), budget)
                    shown, losses = now, []
                if now - saved > 60 * save_minutes:
                    self.save()
                    saved = time.monotonic()
        except KeyboardInterrupt:
            print("stopped; saving", flush=True)
        pool.shutdown()
        self.save()

    def cycle(self, minutes: float) -> Budget:
        """The budget of an unfinished cycle that was resumed, else a new cycle of `minutes` from the average.

        One cycle is one rise and fall of the learning rate; most of the gain comes with the fall, so a cycle that was
        interrupted must be finished, and a finished one is not stretched but followed by another.
        """
        if not 0 < self.seconds < 60 * self.minutes:
            self.model.load_state_dict(self.average)
            self.seconds, self.minutes = 0.0, minutes
        return Budget(minutes=self.minutes)

    def show(self, losses: list[float], speed: float, budget: Budget) -> None:
        """Print and remember one line: loss, pictures a second, time left."""
        mean = sum(losses) / len(losses)
        done = budget.progress(self.step, self.seconds)
        left = self.seconds * (1 / done - 1) / 60 if done else float("nan")
        self.history.append([round(self.seconds), self.seen, round(mean, 5)])
        print(
            f"{self.folder.name}: step {self.step}, {self.seen} seen, loss {mean:.4f}, "
            f"{speed:.1f} a second, {left:.1f} min left",
            flush=True,
        )

    def save(self) -> None:
        """Write weights, averaged weights, optimizer state (safetensors) and counters (json), each atomically."""
        self.folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{k}": torch.as_tensor(v) for k, v in state.items()}
        tensors = {k: v.detach().clone().contiguous() for k, v in tensors.items()}
        counters = {k: getattr(self, k) for k in ("step", "seen", "seconds", "minutes", "history")}
        save_file(tensors, self.folder / "state.part", metadata={"counters": json.dumps(counters)})
        (self.folder / "state.part").rename(self.folder / "state.safetensors")
        (self.folder / "run.json").write_text(json.dumps(counters))

    def resume(self) -> bool:
        """Take up the folder's checkpoint; False when there is none."""
        path = self.folder / "state.safetensors"
        if not path.exists():
            return False
        tensors = load_file(path)
        self.model.load_state_dict(part(tensors, "model."))
        self.average = part(tensors, "average.")
        self.load_optimizer(part(tensors, "optimizer."))
        for name, value in json.loads((self.folder / "run.json").read_text()).items():
            setattr(self, name, value)
        return True

    def load_optimizer(self, tensors: dict[str, Tensor]) -> None:
        """Optimizer state from names "<parameter number>.<what>"."""
        whole = self.optimizer.state_dict()
        whole["state"] = {}
        for name, value in tensors.items():
            index, key = name.split(".", 1)
            whole["state"].setdefault(int(index), {})[key] = value
        self.optimizer.load_state_dict(whole)


def learnt_since(folder: Path, name: str, others: Sequence[str]) -> bool:
    """Whether one of the runs `others` was saved after `name` was, which then knows an older one of it."""
    own, *theirs = (folder / run / "state.safetensors" for run in (name, *others))
    begin = own.stat().st_mtime if own.exists() else 0.0
    return any(state.exists() and state.stat().st_mtime > begin for state in theirs)


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under `prefix`, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
