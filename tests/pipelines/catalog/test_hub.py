"""A model from a hub that is really asked, over HTTP: a small server here with the bundled CLIP under another name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pipelines.support.local_hub import ROOT, WEIGHTS, Hub
from tests.pipelines.support.local_hub import online as a_hub

# In a process of its own: the hub's client reads its settings when it is imported. Small pieces, as the model is small
FETCH = """
import json, sys
from huggingface_hub import constants
constants.DOWNLOAD_CHUNK_SIZE = 100_000
from pipelines.catalog import hub
from pipelines.errors import ModelUnavailable
seen = []
try:
    entry = hub.fetch(hub.find(sys.argv[1]), lambda text, part: seen.append([text, part]))
    print(json.dumps({"seen": seen, "task": entry.task, "folder": str(entry.folder)}))
except ModelUnavailable as error:
    print(json.dumps({"seen": seen, "error": str(error)}))
"""


@pytest.fixture
def online() -> Iterator[Hub]:
    with a_hub() as hub:
        yield hub


@pytest.fixture
def fetch(online: Hub, tmp_path: Path) -> Callable[[str], dict]:
    """fetch(id): what came of it, in a cache that is this test's own."""

    def make(id: str = "some/clip") -> dict:
        own = {"HF_ENDPOINT": online.url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0", "NO_PROXY": "*"}
        call = [sys.executable, "-c", FETCH, id]
        done = subprocess.run(
            call, cwd=ROOT, env={**os.environ, **own}, capture_output=True, text=True, timeout=250, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return make


def parts(said: dict) -> list[float]:
    assert {text for text, _ in said["seen"]} <= {"downloading some/clip"}
    return [part for _, part in said["seen"]]


def test_progress_rises_to_one_and_the_folder_is_a_model(online, fetch):
    online.files |= {"pytorch_model.bin": b"\x80\x04.", "notes.md": b"#"}
    said = fetch()
    assert said["task"] == "align"
    assert parts(said) == sorted(parts(said))
    assert (len(set(parts(said))) > 5, parts(said)[-1]) == (True, 1.0)
    names = {name for name, _ in online.asked}
    assert {"config.json", WEIGHTS} <= names
    assert not {"pytorch_model.bin", "notes.md"} & names


def test_a_download_that_breaks_off_is_a_sentence_and_goes_on_from_there(online, fetch):
    size = len(online.files[WEIGHTS])
    online.cut = size // 2
    broken = fetch()
    assert broken["error"] == (
        "The download of some/clip broke off; what has come is kept, and another try goes on from there."
    )
    online.cut, online.dead, online.asked = -1, False, []
    whole = fetch()
    assert whole["task"] == "align"
    begins = {name: int(begin) for name, begin in online.asked}
    assert size // 2 - 100_000 <= begins[WEIGHTS] <= size // 2  # and not from the beginning
    assert parts(whole)[-1] == 1.0
    assert parts(whole)[0] > 0
    assert Path(whole["folder"], WEIGHTS).read_bytes() == online.files[WEIGHTS]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda hub: setattr(hub, "dead", True), "Hugging Face cannot be reached"),
        (lambda hub: hub.files.update({"pytorch_model.bin": hub.files.pop(WEIGHTS)}), "as a pickle"),
        (lambda hub: hub.files.clear(), "is not a model in the layout"),
    ],
)
def test_what_cannot_be_fetched_is_said_in_one_sentence(online, fetch, harm, words):
    harm(online)
    said = fetch()
    assert words in said["error"]
    assert (said["seen"], online.asked) == ([], [])


def test_what_is_not_what_the_hub_has_is_not_kept(online, fetch, tmp_path):
    online.wrong = True
    assert "broke off" in fetch()["error"]
    assert not [file for file in (tmp_path / "hf").rglob("*") if file.is_file() and file.stat().st_size > 1_000_000]


def test_a_model_that_is_not_there(fetch):
    assert fetch("some/other")["error"] == "There is no model some/other on Hugging Face, or no such revision."
