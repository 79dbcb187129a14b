"""Which device computes, in which number format, and how much memory there is."""

from __future__ import annotations

import os
from typing import Any

import psutil
import torch

SHARE = 0.85  # of the memory that is there; the rest is left to everybody else


def choose(wish: str = "auto") -> torch.device:
    """cuda, mps or cpu: the first that is there, or the one wished for."""
    if wish not in ("", "auto"):
        return torch.device(wish)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def dtype_for(device: torch.device, wish: str = "auto") -> torch.dtype:
    """The one wished for ("float32", "float16", "bfloat16"), or half precision where it is fast.

    CPUs compute in float32: half is slower there, or not there at all.
    """
    if wish not in ("", "auto"):
        return getattr(torch, wish)
    return torch.float32 if device.type == "cpu" else torch.float16


def memory_format_for(device: torch.device) -> torch.memory_format:
    """channels_last where it is faster: convolutions on CPUs (a quarter more rows a second) and on tensor cores."""
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def set_threads(wish: int = 0) -> None:
    """As many as wished for; else physical cores that this process may use, as more only wait, unless OMP_NUM_THREADS
    is set."""
    if wish or "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(wish or _cores())


def _cores() -> int:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))


def budget(device: torch.device) -> int:
    """Bytes that weights and activations may take together."""
    total = torch.cuda.mem_get_info(device)[1] if device.type == "cuda" else psutil.virtual_memory().total
    return int(total * SHARE)


def spare(device: torch.device) -> int:
    """Bytes of main memory for weights that the device has no room for; 0 where it computes in main memory itself."""
    return int(psutil.virtual_memory().total * SHARE) if device.type not in ("cpu", "mps") else 0


def info(device: torch.device) -> dict[str, Any]:
    """{"device", "name", "memory_used", "memory_total"}, bytes. On CPU and MPS: this process, of all memory."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return _facts(device, torch.cuda.get_device_name(device), total - free, total)
    used = torch.mps.driver_allocated_memory() if device.type == "mps" else psutil.Process().memory_info().rss
    name = "Apple GPU" if device.type == "mps" else f"CPU, {torch.get_num_threads()} threads"
    return _facts(device, name, used, psutil.virtual_memory().total)


def _facts(device: torch.device, name: str, used: int, total: int) -> dict[str, Any]:
    return {"device": device.type, "name": name, "memory_used": used, "memory_total": total}


def nbytes(*modules: Any) -> int:
    """Memory of the weights."""
    tensors = [tensor for module in modules for tensor in (*module.parameters(), *module.buffers())]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
