"""What is taken away is read by a library that knows nothing of us, whatever the files are called."""

from __future__ import annotations

from pathlib import Path

from studio.batches import export
from tests.studio.support.batch_studio import ME, Desk, picture
from tests.support.dataset_reader import opened


def test_datasets_reads_the_image_folder(desk: Desk, tmp_path: Path):
    id = desk.made("../a 😀.png", "x/" + "b" * 300 + ".png", "A 😀.png", "con.png")
    desk.batches.add(ME, id, "sub/photo.jpg", picture("blue", (50, 20), "JPEG"))
    said = {n: f'caption {n}, 你好 "quoted"\nand a second line' for n in (1, 2, 3, 5)}
    desk.batches.write(ME, id, said)
    desk.batches.leave(ME, id, [[1, 3]])
    ready = desk.batches.rows.described(id)
    original = lambda item: desk.batches.files.original(ME, id, item.picture, item.format)  # noqa: E731
    found = opened(b"".join(export.exported(ready, export.Form.IMAGEFOLDER, original)), tmp_path)
    assert len(found) == 3
    assert found["sub/photo.jpg"] == (said[5], (50, 20))
    assert found["a 😀.png"] == (said[1], (40, 30))
    assert {text for text, _ in found.values()} == {said[1], said[2], said[5]}
