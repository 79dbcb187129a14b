"""A training run on any device: batches are made where they are learnt from, and no step waits for its loss."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from pipelines.training import checkpoints
from pipelines.training.loop import Budget, Run, learning_rate, part

SHOW_SECONDS = 15


@dataclass
class DeviceRun(Run):
    """As Run, with the model on `device` and its checkpoints in files of bounded size (`checkpoints`)."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def generator(self) -> torch.Generator:
        """The device's generator of this step; (seed, step) alone decides."""
        return torch.Generator(self.device).manual_seed((self.seed << 40) + self.step)

    def train(self, batch_of: Callable, loss_of: Callable, budget: Budget, save_minutes: float = 3.0) -> None:
        """Until the budget is used: `batch_of(generator)` makes a batch on the device, `loss_of(batch, generator)`
        gives (loss, pictures). Ctrl-C saves and stops."""
        saved = shown = before = time.monotonic()
        total, steps, pictures = torch.zeros((), device=self.device), 0, 0
        try:
            while budget.progress(self.step, self.seconds) < 1:
                generator = self.generator()
                loss, number = loss_of(batch_of(generator), generator)
                self.update(loss, learning_rate(budget.progress(self.step, self.seconds)))
                self.seen += number
                total, steps, pictures = total + loss.detach(), steps + 1, pictures + number
                now = time.monotonic()
                self.seconds, before = self.seconds + now - before, now
                if now - shown > SHOW_SECONDS:
                    self.show([total.item() / steps], pictures / (now - shown), budget)  # .item() waits for the device
                    total, steps, pictures, shown = total * 0, 0, 0, now
                if now - saved > 60 * save_minutes:
                    self.save()
                    saved = before = time.monotonic()
        except KeyboardInterrupt:
            print("stopped; saving", flush=True)
        self.save()

    def save(self) -> Path:
        """Write a checkpoint: weights, averaged weights, the optimizer's state and counters."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{k}": torch.as_tensor(v) for k, v in state.items()}
        counters = {k: getattr(self, k) for k in ("step", "seen", "seconds", "minutes", "history")}
        return checkpoints.write(self.folder, self.step, tensors, counters)

    def resume(self) -> bool:
        """Take up the folder's newest checkpoint; False when there is none."""
        known = checkpoints.found(self.folder)
        if not known:
            return False
        tensors, counters = checkpoints.read(known[-1])
        self.model.load_state_dict(part(tensors, "model."))
        self.average = {k: v.to(self.device) for k, v in part(tensors, "average.").items()}
        self.load_optimizer(part(tensors, "optimizer."))
        for name, value in counters.items():
            setattr(self, name, value)
        return True
