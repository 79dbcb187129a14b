"""Captions taken away in the form that trainers and websites need, with their pictures or alone, as one zip."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Container, Iterator, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path

from studio.batches.files import EXTENSIONS
from studio.batches.records import Item
from studio.formats.sidecars import safe_names
from studio.formats.zip_stream import zipped

File = tuple[str, Callable[[], bytes]]


class Form(StrEnum):
    """txt: `same-stem.txt` beside each picture (kohya's convention). imagefolder: `metadata.jsonl`, as the library
    `datasets` reads it.
    """

    TXT = "txt"
    JSONL = "jsonl"
    CSV = "csv"
    IMAGEFOLDER = "imagefolder"


TABLES = {Form.JSONL: "captions.jsonl", Form.CSV: "captions.csv", Form.IMAGEFOLDER: "metadata.jsonl"}


def exported(items: Sequence[Item], form: Form, original: Callable[[Item], Path] | None) -> Iterator[bytes]:
    """The zip archive in pieces. items: those with a caption. original: where a picture is; None: captions only."""
    names = safe_names((item.name, EXTENSIONS.get(item.format, item.format)) for item in items)
    left_out: dict[str, str] = {}
    return zipped(_files(list(zip(names, items, strict=True)), form, original, left_out), left_out)


def _files(
    named: list[tuple[str, Item]], form: Form, original: Callable[[Item], Path] | None, left_out: Container[str]
) -> Iterator[File]:
    """The table comes last: `datasets` opens no folder whose table names a picture that is not there."""
    for name, item in named:
        if form == Form.TXT:
            yield f"{name.rpartition('.')[0]}.txt", (item.text or "").encode
        if original:
            yield name, partial(_read, original, item)
    if form in TABLES:
        there = [one for one in named if form != Form.IMAGEFOLDER or one[0] not in left_out]
        yield TABLES[form], lambda: _table(there, form)


def _read(original: Callable[[Item], Path], item: Item) -> bytes:
    return original(item).read_bytes()


def _table(named: list[tuple[str, Item]], form: Form) -> bytes:
    if form == Form.CSV:
        return _csv(named)
    lines = (json.dumps(_line(name, item, form), ensure_ascii=False) for name, item in named)
    return "".join(f"{line}\n" for line in lines).encode()


def _line(name: str, item: Item, form: Form) -> dict:
    """`file_name` and `text` are the names that `datasets` and the training scripts of diffusers expect."""
    line: dict[str, object] = {"file_name": name, "text": item.text}
    if form == Form.JSONL:
        line |= {"name": item.name, "agreement": item.score, "written_by": item.origin, "width": item.width,
                 "height": item.height}  # fmt: skip
    return line


def _csv(named: list[tuple[str, Item]]) -> bytes:
    """With the mark by which spreadsheets know UTF-8."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(("file_name", "text", "agreement", "written_by"))
    for name, item in named:
        table.writerow((name, item.text, "" if item.score is None else f"{item.score:.4f}", item.origin))
    return text.getvalue().encode("utf-8-sig")
