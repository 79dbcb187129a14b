"""Large files of the Hugging Face hub, of which a download that breaks off leaves what has come. No torch.

The hub's own client deletes what it has of a file when it fails (`_download_to_tmp_and_move` of huggingface_hub), and
weights have gigabytes. Here the part stays beside its blob in the hub's cache; once it is whole, the client finds
the blob there as if it had fetched it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def keep(repo: str, name: str, revision: str | None, bar: type) -> None:
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
