"""Muon (Jordan et al. 2024) for matrices and convolutions, AdamW for the rest, as one optimizer.

Muon's update is the momentum with all its singular values set to about one, by four Newton-Schulz iterations. On the
small networks here it reaches a loss in roughly half of Adam's steps, and the iterations cost a few per cent.
"""

import torch
from torch import Tensor, nn

from pipelines.training.precision import half

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonal(update: Tensor, iterations: int = 4) -> Tensor:
    """A stack (K, rows, columns) of matrices, its singular values set to about one, in the fastest format."""
    a, b, c = COEFFICIENTS
    x = update.to(half(update.device))
    if tall := x.shape[-2] > x.shape[-1]:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(iterations):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Two groups from `split`: "muon" True with `lr` as the update's root mean square, else AdamW."""

    def __init__(self, groups: list[dict], weight_decay: float = 0.01):
        super().__init__(groups, {"lr": 1e-3, "muon": False, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            if group["muon"]:
                for alike in by_shape([p for p in group["params"] if p.grad is not None]):
                    self.muon(alike, group["lr"], group["weight_decay"])
            else:
                self.adam(group["params"], group["lr"], group["weight_decay"])

    def muon(self, alike: list[Tensor], rate: float, decay: float) -> None:
        """Nesterov momentum, orthogonalised, scaled to unit root mean square, times `rate`; equal shapes together."""
        for p in alike:
            self.state[p].setdefault("momentum", torch.zeros_like(p))
        grads, momenta = [p.grad for p in alike], [self.state[p]["momentum"] for p in alike]
        torch._foreach_lerp_(momenta, grads, 0.05)
        updates = torch._foreach_lerp(grads, momenta, 0.95)
        straight = orthogonal(torch.stack([u.flatten(1) for u in updates]))
        scale = max(straight.shape[1:]) ** 0.5
        torch._foreach_mul_(alike, 1 - rate * decay)
        for p, move in zip(alike, straight, strict=True):
            p.add_(move.reshape(p.shape), alpha=-rate * scale)

    def adam(self, parameters: list[Tensor], rate: float, decay: float) -> None:
        """Adam's update with its bias corrections (betas 0.9, 0.99), for all small parameters at once."""
        live = [p for p in parameters if p.grad is not None]
        if not live:
            return
        states = [self.state[p] for p in live]
        for p, state in zip(live, states, strict=True):
            state.setdefault("first", torch.zeros_like(p))
            state.setdefault("second", torch.zeros_like(p))
            state["count"] = state.get("count", torch.zeros(())) + 1
        grads, first, second = [p.grad for p in live], [s["first"] for s in states], [s["second"] for s in states]
        torch._foreach_lerp_(first, grads, 0.1)
        torch._foreach_mul_(second, 0.99)
        torch._foreach_addcmul_(second, grads, grads, 0.01)
        count = states[0]["count"].item()
        scale = torch._foreach_div(second, 1 - 0.99**count)
        torch._foreach_sqrt_(scale)
        torch._foreach_add_(scale, 1e-8)
        torch._foreach_mul_(live, 1 - rate * decay)
        torch._foreach_addcdiv_(live, first, scale, -rate / (1 - 0.9**count))


def by_shape(parameters: list[Tensor]) -> list[list[Tensor]]:
    """The parameters in lists of equal shape."""
    groups: dict[torch.Size, list[Tensor]] = {}
    for parameter in parameters:
        groups.setdefault(parameter.shape, []).append(parameter)
    return list(groups.values())


def split(model: nn.Module, muon: float, adam: float) -> list[dict]:
    """Parameter groups: hidden matrices and convolutions for Muon, embeddings, norms and biases for Adam."""
    hidden, rest = [], []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            matrix = parameter.ndim >= 2 and "embedding" not in name and min(parameter.flatten(1).shape) >= 32
            (hidden if matrix else rest).append(parameter)
    return [
        {"params": hidden, "lr": muon, "muon": True},
        {"params": rest, "lr": adam, "muon": False},
    ]
