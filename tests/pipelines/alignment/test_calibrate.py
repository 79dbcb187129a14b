"""The limits of a model: measured on examples, kept beside its weights, read by the catalog."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from pipelines.alignment.thresholds import Limits
from pipelines.catalog import folders
from pipelines.catalog.catalog import BUNDLED
from pipelines.training.evaluation import calibrate


def test_the_cut_tells_two_kinds_apart_best():
    right, wrong = np.array([0.5, 0.6, 0.7, 0.2]), np.array([0.1, 0.2, 0.3, 0.65])
    assert calibrate.best_cut(right, wrong) == 0.5
    assert calibrate.best_cut(np.ones(3), np.zeros(3)) == 1.0


def test_a_model_is_measured_and_remembers_it(aligned, opened, images, tmp_path):
    folder = shutil.copytree(aligned / "clip", tmp_path / "clip")
    for i, image in enumerate(images):
        image.save(tmp_path / f"{i}.png")
        (tmp_path / f"{i}.txt").write_text(f"thing {i}, on a table")
    examples = calibrate.described(tmp_path, 9)
    assert [(one.words, one.thing) for one in examples][:1] == [("thing 0", "thing 0, on a table")]
    found = calibrate.measured(opened("clip").alignment, examples)
    assert found["examples"] == 4
    shares = [value for name, value in found.items() if name.endswith(("_right", "_wrong"))]
    assert len(shares) == 8
    assert all(0 <= share <= 1 for share in shares)
    assert folders.read("clip", folder, "folder").limits == Limits()
    (folder / "triptych.json").write_text('{"name": "Mine"}')
    calibrate.write(folder, found)
    entry = folders.read("clip", folder, "folder")
    assert (entry.name, entry.limits.near) == ("Mine", found["near"])
    assert entry.doubtful == found["doubtful"]


@pytest.mark.parametrize(("name", "shown"), [("sprite-clip", "Sprite CLIP"), ("sprite-captioner", "Sprite captioner")])
def test_bundled_models_have_names_for_people(name, shown):
    assert folders.read(name, BUNDLED / name, "bundled").name == shown


def test_the_bundled_limits_are_measured_and_worth_something():
    said = json.loads((BUNDLED / "sprite-clip" / "triptych.json").read_text())["calibration"]
    assert said["examples"] >= 100
    assert said["doubtful_right"] - said["doubtful_wrong"] > 0.3
    assert said["texts_right"] > 0.8
    assert max(said["pictures_wrong"], said["texts_wrong"]) <= calibrate.FALSE + 0.001
