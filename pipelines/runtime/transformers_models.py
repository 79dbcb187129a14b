"""Opens models, tokenizers and image processors in the layout that transformers saves.

Safetensors only; no pickle, no code from a model folder, nothing from the network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.catalog import weights
from pipelines.catalog.entry import Entry
from pipelines.errors import ModelUnavailable, TriptychError
from pipelines.runtime.options import Options, quiet

_PACKAGES = ("sentencepiece", "tiktoken", "protobuf")  # that tokenizers of some models need


def model(entry: Entry, kind: str, options: Options) -> Any:
    """The model of that class of transformers on its device, for inference only. Raises ModelUnavailable."""
    import transformers

    folder = _folder(entry)
    weights.stored(folder, entry.name)
    with _explained(entry, "weights"):
        found, told = getattr(transformers, kind).from_pretrained(
            folder, use_safetensors=True, local_files_only=True, trust_remote_code=False, dtype=options.dtype,
            output_loading_info=True)  # fmt: skip
    unused = ("position_ids", "pooler.")  # drawn or not, nothing that we compute looks at them
    missing = [key for key in told["missing_keys"] if not any(name in key for name in unused)]
    if missing or told["mismatched_keys"]:
        raise ModelUnavailable(f"{entry.name} is damaged: it lacks {len(missing) or 'some'} of its weights.")
    return found.to(options.device).eval().requires_grad_(False)


def tokenizer(entry: Entry) -> Any:
    """Its tokenizer. Raises ModelUnavailable."""
    from transformers import AutoTokenizer

    with _explained(entry, "tokenizer"):
        return AutoTokenizer.from_pretrained(_folder(entry), local_files_only=True, trust_remote_code=False)


def image_processor(entry: Entry) -> Any:
    """Its image processor. It computes with PIL: results do not depend on torchvision. Raises ModelUnavailable."""
    from transformers import AutoImageProcessor

    with _explained(entry, "image processor"):
        return AutoImageProcessor.from_pretrained(
            _folder(entry), backend="pil", local_files_only=True, trust_remote_code=False
        )


def _folder(entry: Entry) -> Path:
    if entry.folder is None:
        raise ModelUnavailable(f"{entry.name} is not on this machine yet.")
    return entry.folder


class _explained:  # used like a function
    """Whatever a library says of a damaged folder becomes one sentence; its remarks stay out of the log."""

    def __init__(self, entry: Entry, part: str):
        self._entry, self._part, self._quiet = entry, part, quiet()

    def __enter__(self) -> None:
        self._quiet.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._quiet.__exit__(kind, error, trace)
        if isinstance(error, Exception) and not isinstance(error, TriptychError):
            raise ModelUnavailable(self._why(error)) from error

    def _why(self, error: Exception) -> str:
        name, part = self._entry.name, self._part
        if isinstance(error, ImportError):
            wanted = next((package for package in _PACKAGES if package in str(error)), "another Python package")
            return f"The {part} of {name} needs {wanted}, which is not installed."
        return f"{name} is damaged: its {part} cannot be opened."
