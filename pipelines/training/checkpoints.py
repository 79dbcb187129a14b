"""Checkpoints in files of a bounded size, so that any of them can be carried anywhere: a folder a checkpoint.

checkpoint-1200/state-00001-of-00008.safetensors ...     at most 16 MB each, in Hugging Face's naming
checkpoint-1200/run.json                                 counters
"""

import json
import re
import shutil
from pathlib import Path

from huggingface_hub import save_torch_state_dict
from safetensors.torch import load_file
from torch import Tensor

LARGEST = "16MB"


def write(folder: Path, step: int, tensors: dict[str, Tensor], counters: dict, keep: int = 1) -> Path:
    """Write a checkpoint into `folder`, whole or not at all, then drop all but the newest `keep`."""
    target, unfinished = folder / f"checkpoint-{step}", folder / "checkpoint.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    (unfinished / "run.json").write_text(json.dumps(counters))
    own = {k: v.detach().cpu().clone().contiguous() for k, v in tensors.items()}
    save_torch_state_dict(own, unfinished, filename_pattern="state{suffix}.safetensors", max_shard_size=LARGEST)
    shutil.rmtree(target, ignore_errors=True)
    unfinished.rename(target)
    for old in found(folder)[:-keep]:
        shutil.rmtree(old)
    return target


def found(folder: Path) -> list[Path]:
    """The checkpoints in `folder`, the newest last."""
    numbered = [(int(m[1]), p) for p in folder.glob("checkpoint-*") if (m := re.fullmatch(r"checkpoint-(\d+)", p.name))]
    return [path for _, path in sorted(numbered)]


def read(checkpoint: Path) -> tuple[dict[str, Tensor], dict]:
    """Tensors, on the processor, and counters of one checkpoint."""
    tensors = {k: v for file in sorted(checkpoint.glob("state*.safetensors")) for k, v in load_file(file).items()}
    return tensors, json.loads((checkpoint / "run.json").read_text())
