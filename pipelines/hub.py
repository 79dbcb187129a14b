"""Models from the Hugging Face hub: into its standard cache, resumable, and only the files that we open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.catalog import Entry, downloaded
from pipelines.errors import ModelUnavailable
from pipelines.folders import WEIGHTS
from pipelines.loading import Progress

_PARTS = ("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler")
_SMALL = (".json", ".txt")


def known(entry: Entry) -> Entry:
    """The entry with its folder, if the model lies in the cache already; else as it was."""
    if entry.source != "hub" or entry.folder is not None:
        return entry
    from huggingface_hub import try_to_load_from_cache

    file = try_to_load_from_cache(entry.name, "model_index.json", revision=entry.revision)
    folder = Path(file).parent if isinstance(file, str) else None
    return downloaded(entry, folder) if folder and _complete(folder) else entry


def fetch(entry: Entry, progress: Progress) -> Entry:
    """Downloads what is missing. Raises ModelUnavailable with what is missing, how to fetch it, and where it goes."""
    from huggingface_hub import HfApi, hf_hub_download

    folder = None
    try:
        files = HfApi().model_info(entry.name, revision=entry.revision, files_metadata=True).siblings or []
        wanted = list(_wanted({file.rfilename: file.size or 0 for file in files}))
        total, done = sum(size for _, size in wanted) or 1, 0
        for name, size in wanted:
            progress(f"downloading {entry.name}", done / total)
            path = hf_hub_download(entry.name, name, revision=entry.revision)
            folder = Path(path).parent if name == "model_index.json" else folder
            done += size
    except Exception as error:
        raise ModelUnavailable(_why(entry, error)) from error
    if folder is None:
        raise ModelUnavailable(f"{entry.name} is not a model in the layout that diffusers saves.")
    return downloaded(entry, folder)


def _wanted(files: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Configs, and of each part's weights one kind: full precision if it is there, else half. Never a pickle."""
    for name, size in sorted(files.items()):
        part, _, file = name.rpartition("/")
        small = part in _PARTS and file.endswith(_SMALL)
        if name == "model_index.json" or small or (part in WEIGHTS and _weights(name, part, file, files)):
            yield name, size


def _weights(name: str, part: str, file: str, files: dict[str, int]) -> bool:
    if not file.endswith(".safetensors") or not file.startswith(WEIGHTS[part]) or "non_ema" in file:
        return False
    return ".fp16" not in file or name.replace(".fp16", "") not in files


def _complete(folder: Path) -> bool:
    parts = [part for part in WEIGHTS if (folder / part / "config.json").is_file()]
    return len(parts) >= 3 and all(any((folder / part).glob("*.safetensors")) for part in parts)


def _why(entry: Entry, error: Exception) -> str:
    status: Any = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return f"{entry.name} needs a Hugging Face account that was granted access (`hf auth login`)."
    if status == 404:
        return f"There is no model {entry.name} on Hugging Face, or no such revision."
    return (
        f"{entry.name} is not on this machine and Hugging Face cannot be reached; "
        f"go online and try again, or run `hf download {entry.name}`, which puts it into the Hugging Face cache."
    )
