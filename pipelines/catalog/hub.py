"""Models from the Hugging Face hub: into its standard cache, resumable, and only the files that we open. No torch."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.catalog import folders, weights
from pipelines.catalog.entry import Entry
from pipelines.catalog.weights import STEMS
from pipelines.errors import ModelUnavailable

HUB_ID = re.compile(r"(?P<repo>[\w.-]{1,96}/[\w.-]{1,96})(?:@(?P<revision>[\w./-]{1,100}))?", re.ASCII)
_PARTS = ("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler")
_SMALL = (".json", ".txt")
_INDEXES = ("model_index.json", "config.json")  # of diffusers, of transformers
# What a model in the layout of transformers needs beside its weights: settings, vocabulary, chat template.
_FLAT = re.compile(
    r"[\w.-]+\.(?:json|txt|jinja|model)|(?:voices|speaker_embeddings(?:/v2)?)/[\w.-]+\.(?:safetensors|json|npy)"
    r"|(?:vocoder|audio_tokenizer)/(?:config\.json|model\.safetensors)",
    re.ASCII,
)
_SHARDS = re.compile(r"model-\d+-of-\d+\.safetensors", re.ASCII)


def find(id: str) -> Entry | None:
    """The entry of an id like "owner/name" or "owner/name@revision"; without `folder` it has yet to be fetched."""
    match = HUB_ID.fullmatch(id)
    if match is None:
        return None
    entry: Entry = Entry(id, match["repo"], "hub", revision=match["revision"], note="Is fetched when first used.")
    try:
        folder = _cached(entry)
    except ValueError:  # the hub's own rules for names are stricter
        return None
    return _downloaded(entry, folder) if folder and _complete(folder) else entry


def cached() -> Iterator[tuple[str, Path]]:
    """Id and folder of every whole model in the Hugging Face cache. Looks at folders only; opens nothing."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    for snapshots in sorted(Path(os.environ.get("HF_HUB_CACHE") or home / "hub").glob("models--*--*/snapshots")):
        try:
            folder = next((folder for folder in sorted(snapshots.iterdir()) if _complete(folder)), None)
        except OSError:  # not ours to look into
            continue
        if folder:
            yield snapshots.parent.name.removeprefix("models--").replace("--", "/", 1), folder


def fetch(entry: Entry, progress: Callable[[str, float], None]) -> Entry:
    """Downloads what is missing. Raises ModelUnavailable with what is missing, how to fetch it, and where it goes."""
    from huggingface_hub import HfApi

    wanted: dict[str, int] = {}
    try:
        files = HfApi().model_info(entry.name, revision=entry.revision, files_metadata=True).siblings or []
        wanted.update(_wanted_of(entry.name, {file.rfilename: file.size or 0 for file in files}))
        at = dict(_fetched(entry, wanted, progress))
    except ModelUnavailable:
        raise
    except Exception as error:
        raise ModelUnavailable(_why(entry, error, begun=bool(wanted))) from error
    index = next(name for name in _INDEXES if name in at)
    return _downloaded(entry, Path(at[index]).parent)


def _fetched(entry: Entry, wanted: dict[str, int], progress: Callable[[str, float], None]) -> Iterator[tuple[str, str]]:
    """Each file with its place in the cache. The part that is told counts what an earlier try has left there."""
    from huggingface_hub import hf_hub_download

    total, before = sum(wanted.values()) or 1, 0

    def told(size: int) -> None:
        progress(f"downloading {entry.name}", min((before + size) / total, 1.0))

    for name, size in wanted.items():
        if name.endswith(".safetensors"):
            fetch_resumable(entry.name, name, entry.revision, _bar(told))
        yield name, hf_hub_download(entry.name, name, revision=entry.revision, tqdm_class=_bar(told))
        told(size)
        before += size


def _downloaded(entry: Entry, folder: Path) -> Entry:
    return replace(folders.read(entry.id, folder, "hub"), name=entry.name, revision=entry.revision)


def _cached(entry: Entry) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(entry.name, index, revision=entry.revision) for index in _INDEXES)
    return next((Path(file).parent for file in found if isinstance(file, str)), None)


def _bar(told: Callable[[int], None]) -> type:
    """A silent progress bar in the shape that the hub's client wants; tells how many bytes of the file are here."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any):
            super().__init__(*args, **{**kwargs, "disable": True})
            self._here = int(kwargs.get("initial") or 0)

        def update(self, n: float | None = 1) -> None:
            self._here += int(n or 0)
            told(self._here)

    return Bar


def _wanted_of(name: str, files: dict[str, int]) -> Iterator[tuple[str, int]]:
    """The files that we open, by the layout of the repository. Raises ModelUnavailable."""
    if "model_index.json" in files:
        return _wanted(files)
    if "config.json" not in files:
        raise ModelUnavailable(f"{name} is not a model in the layout that diffusers or transformers saves.")
    if not _flat_weights(files):
        raise ModelUnavailable(
            f"{name} keeps its weights as a pickle, which can run anything, or has none; "
            "only safetensors files are opened."
        )
    return _wanted_flat(files)


def _flat_weights(files: dict[str, int]) -> list[str]:
    return [weights.SINGLE] if weights.SINGLE in files else [name for name in files if _SHARDS.fullmatch(name)]


def _wanted_flat(files: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Everything beside the weights is small; the index of a pickle's parts is of no use."""
    needed = {*_flat_weights(files), *(name for name in files if _FLAT.fullmatch(name) and ".bin." not in name)}
    yield from ((name, files[name]) for name in sorted(needed))


def _wanted(files: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Configs, and of each part's weights one kind: full precision if it is there, else half. Never a pickle."""
    for name, size in sorted(files.items()):
        part, _, file = name.rpartition("/")
        small = part in _PARTS and file.endswith(_SMALL)
        if name == "model_index.json" or small or (part in STEMS and _weights(name, part, file, files)):
            yield name, size


def _weights(name: str, part: str, file: str, files: dict[str, int]) -> bool:
    if not file.endswith(".safetensors") or not file.startswith(STEMS[part]) or "non_ema" in file:
        return False
    return ".fp16" not in file or name.replace(".fp16", "") not in files


def _complete(folder: Path) -> bool:
    if not (folder / "model_index.json").is_file():
        return (folder / "config.json").is_file() and weights.whole(folder)
    parts = [part for part in STEMS if (folder / part / "config.json").is_file()]
    return len(parts) >= 3 and all(any((folder / part).glob("*.safetensors")) for part in parts)


def _why(entry: Entry, error: Exception, *, begun: bool) -> str:
    status: Any = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return f"{entry.name} needs a Hugging Face account that was granted access (`hf auth login`)."
    if status == 404:
        return f"There is no model {entry.name} on Hugging Face, or no such revision."
    if getattr(error, "errno", None) == errno.ENOSPC:
        return f"The disk of the Hugging Face cache has no room for {entry.name}; make some and try again."
    if begun:
        return f"The download of {entry.name} broke off; what has come is kept, and another try goes on from there."
    return (
        f"{entry.name} is not on this machine and Hugging Face cannot be reached; "
        f"go online and try again, or run `hf download {entry.name}`, which puts it into the Hugging Face cache."
    )


def fetch_resumable(repo: str, name: str, revision: str | None, bar: type) -> None:
    """Brings the file's content into the cache, from where an earlier try has left it.

    bar: what the client shows its progress with, in the shape of tqdm. Raises what the client raises, and OSError where
    what came is not what the hub has.
    """
    from filelock import FileLock
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(repo, name, revision=revision)
    there = get_hf_file_metadata(url)
    blob = Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=repo, repo_type="model"), "blobs", there.etag or "")
    if not there.etag or blob.exists():
        return
    blob.parent.mkdir(parents=True, exist_ok=True)
    part = blob.with_name(f"{there.etag}.part")
    with FileLock(blob.with_name(f"{there.etag}.part.lock")):
        with part.open("ab") as file:
            http_get(url, file, resume_size=part.stat().st_size, headers=build_hf_headers(), expected_size=there.size,
                     tqdm_class=bar)  # fmt: skip
        _verify(part, there.etag)
        part.replace(blob)


def _verify(part: Path, tag: str) -> None:
    """The tag of a large file is its SHA-256. Pieces of several tries that do not fit together are worth nothing."""
    with part.open("rb") as file:
        right = len(tag) != 64 or hashlib.file_digest(file, "sha256").hexdigest() == tag
    if not right:
        part.unlink()
        raise OSError("What came is not what the hub has.")
