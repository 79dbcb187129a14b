"""Folders of Kokoro's that are incomplete, damaged or dangerous: one sentence, and nothing of theirs is run."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from pipelines.catalog import folders
from pipelines.errors import ModelUnavailable
from pipelines.speech.opening import open_voice

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 14), reason="kokoro-onnx has no release for this Python")

if sys.version_info < (3, 14):
    from tests.pipelines.speech.support import tiny_kokoro as tiny


def test_a_folder_without_its_voices_says_so(tmp_path):
    folder = tiny.kokoro(tmp_path / "k")
    entry = folders.read("kokoro", folder, "folder")
    (folder / "voices-v1.0.bin").unlink()
    with pytest.raises(ModelUnavailable, match=r"^kokoro is incomplete: its voices….bin is missing.$"):
        folders.read("kokoro", folder, "folder")
    with pytest.raises(ModelUnavailable, match=r"^kokoro is incomplete: its voices….bin is missing.$"):
        open_voice(entry, tiny.CPU, lambda text, part: None)
    tiny.archive(folder, {})
    with pytest.raises(ModelUnavailable, match=r"there is no voice in its voices….bin"):
        tiny.opened(folder)


def test_a_damaged_model_is_said(tmp_path):
    folder = tiny.kokoro(tmp_path / "k")
    (folder / "kokoro-v1.0.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelUnavailable, match="kokoro is damaged: it cannot be opened"):
        tiny.opened(folder)
    (folder / "voices-v1.0.bin").write_bytes(b"nothing")
    with pytest.raises(ModelUnavailable, match="kokoro is damaged: its voices cannot be read"):
        tiny.opened(folder)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, file: Path):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def test_pickled_voices_are_never_opened(tmp_path):
    folder, trace = tiny.kokoro(tmp_path / "k"), tmp_path / "opened"
    tiny.archive(folder, {"af_evil": np.array([Trap(trace)], dtype=object)})
    with pytest.raises(ModelUnavailable, match="its voice af_evil cannot be read"):
        tiny.opened(folder)
    (folder / "voices-v1.0.bin").write_bytes(pickle.dumps({"af_evil": Trap(trace)}))
    with pytest.raises(ModelUnavailable, match="its voices cannot be read"):
        tiny.opened(folder)
    assert not trace.exists()


@pytest.mark.parametrize("table", [np.zeros((510, 1, 128)), np.zeros(256), np.full((9, 1, 256), np.nan), np.zeros(0)])
def test_a_voice_of_another_shape_is_refused(tmp_path, table):
    folder = tiny.kokoro(tmp_path / "k")
    tiny.archive(folder, {"af_odd": table.astype(np.float32)})
    with pytest.raises(ModelUnavailable, match="its voice af_odd is not lines of 256 numbers"):
        tiny.opened(folder)
