"""Names of pictures and the text files beside them: `same-stem.txt`, UTF-8, as trainers write and read them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pipelines.errors import BadUpload
from studio import limits

SUFFIXES = (".txt", ".caption")
PART_BYTES = 120  # of one folder's or file's name, in UTF-8; most file systems take 255 with everything that is added
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # reserved on Windows


def is_text(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def label(name: str) -> str:
    """The name that is shown: its folders with "/", at most 300 characters of it, nothing that is not printed."""
    whole = unicodedata.normalize("NFC", name).replace("\\", "/")
    parts = [_FORBIDDEN.sub("_", part) for part in whole.split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[-300:] or "picture"


def stem(name: str) -> str:
    """`folder/a.png` and `folder/a.txt` have one stem."""
    folder, slash, last = label(name).rpartition("/")
    return folder + slash + (last.rpartition(".")[0] or last)


def stems(name: str) -> tuple[str, str]:
    """Where the caption of a picture is looked for: `a.txt`, and `a.png.txt`, which some programs write."""
    return stem(name), label(name)


def decode(data: bytes) -> str:
    """The caption in a text file: UTF-8 with or without its mark, UTF-16 with one. Raises BadUpload."""
    if len(data) > limits.CAPTION_CHARACTERS * 4:
        raise BadUpload(f"This text file is longer than {limits.CAPTION_CHARACTERS:,} characters; it is left out.")
    code = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(code)
    except UnicodeDecodeError as error:
        raise BadUpload("This text file is not UTF-8; save it as UTF-8 and send it again.") from error
    if "\x00" in text:
        raise BadUpload("This file is not a text file; it is left out.")
    return text.strip()[: limits.CAPTION_CHARACTERS]


def safe_names(names: Iterable[tuple[str, str]]) -> list[str]:
    """A path for every (name, extension), fit for any file system, and no two with one stem.

    Stems must differ, not only names: `a.png` and `a.jpg` would share the caption `a.txt`. Case counts for nothing, as
    on Windows and on Macs.
    """
    taken: set[str] = set()
    return [_free(_safe(stem(name)), extension, taken) for name, extension in names]


def _free(wanted: str, extension: str, taken: set[str]) -> str:
    found, number = wanted, 1
    while found.casefold() in taken:
        number += 1
        found = f"{wanted}-{number}"
    taken.add(found.casefold())
    return f"{found}.{extension}"


def _safe(path: str) -> str:
    parts = [_safe_part(part) for part in path.split("/")[-8:]]
    return "/".join(parts)


def safe_name(name: str) -> str:
    """One part of a path, for a download."""
    return _safe_part(label(name).replace("/", "-"))


def _safe_part(part: str) -> str:
    part = part.encode()[:PART_BYTES].decode(errors="ignore").strip(" .")
    return f"_{part}" if _DEVICES.match(part) else part or "_"
