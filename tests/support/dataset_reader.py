"""The batch export as a reader sees it that we did not write: the library `datasets`, its image folder."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path


def opened(archive: bytes, folder: Path) -> dict[str, tuple[str, tuple[int, int]]]:
    """Caption and size of every picture, by its path in the archive, as `load_dataset("imagefolder")` gives them."""
    from datasets import Image, disable_progress_bars, load_dataset

    disable_progress_bars()
    place = folder / "export"
    zipfile.ZipFile(io.BytesIO(archive)).extractall(place)
    rows = load_dataset("imagefolder", data_dir=str(place), cache_dir=str(folder / "cache"), split="train")
    paths = rows.cast_column("image", Image(decode=False))
    return {
        Path(path["image"]["path"]).relative_to(place).as_posix(): (row["text"], row["image"].size)
        for path, row in zip(paths, rows, strict=True)
    }
