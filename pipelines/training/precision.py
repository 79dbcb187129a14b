"""In which number format a device multiplies fastest.

bfloat16 halves the time of a step on processors that multiply it (AVX-512 BF16, AMX) and on accelerators; on any other
processor it is emulated, and a step takes six times as long as in float32.
"""

import torch


def half(device: torch.device | str) -> torch.dtype:
    """bfloat16 where the device multiplies it itself, else float32."""
    if torch.device(device).type != "cpu":
        return torch.bfloat16
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


def autocast(device: torch.device | str = "cpu") -> torch.autocast:
    """Mixed precision in that format; nothing where it is float32."""
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=half(device) == torch.bfloat16)
