"""A model's folder is replaced at once; what was written by hand stays, and what still fits where that is said."""

import pytest

from pipelines.training.release import publish


@pytest.mark.parametrize("also", [(), ("few-step.safetensors",)])
def test_what_still_fits_stays_where_it_is_said(tmp_path, also):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("README.md", "few-step.safetensors", "config.json", "old.json"):
        (folder / name).write_text("old")
    publish.replace(folder, lambda new: (new / "config.json").write_text("new"), also)
    found = {path.name: path.read_text() for path in folder.iterdir()}
    assert found == {"README.md": "old", "config.json": "new"} | dict.fromkeys(also, "old")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
