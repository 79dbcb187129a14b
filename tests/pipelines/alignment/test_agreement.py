"""How well a picture agrees with each part of a prompt, by the bundled model."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pipelines.alignment import agreement, model
from pipelines.catalog.catalog import BUNDLED, Catalog
from pipelines.runtime.model_pool import ModelPool
from tests.support.rounding import assert_same_shares

pytestmark = pytest.mark.skipif(
    not (BUNDLED / "sprite-clip" / "model.safetensors").is_file(), reason="no bundled weights in this checkout"
)


@pytest.fixture(scope="module")
def ours():
    return ModelPool(Catalog(), "cpu").alignment()


@pytest.fixture(scope="module")
def examples() -> list[Image.Image]:
    return [Image.open(file).convert("RGB") for file in sorted(model.EXAMPLES.glob("*.webp"))]


def test_texts_come_first_and_each_picture_has_its_own(ours, examples):
    apple, cat = examples[:2]
    found = ours.agree([apple, cat], [["a red apple", "a cat"], []], [[apple], [apple, cat]])
    assert [len(each) for each in found] == [3, 2]
    right, wrong, itself = found[0]
    assert right.cosine > wrong.cosine
    assert right.heard > wrong.heard
    assert_same_shares(right.score, ours.alignment.score([apple], ["a red apple"])[0])
    assert itself.score == pytest.approx(1.0, abs=1e-4)
    assert found[1][0].score < 0.2 < found[1][1].score


def test_pictures_of_different_things_are_not_alike(ours):
    assert -0.2 < ours.alignment.floor < 0.8
    cosines = np.array([-1.0, ours.alignment.floor, (1 + ours.alignment.floor) / 2, 1.0])
    assert agreement.likeness(cosines, ours.alignment.floor) == pytest.approx([0, 0, 0.5, 1])


def test_nothing_asked_is_nothing_said(ours, examples):
    assert ours.agree(examples[:1], [[]], [[]]) == [[]]
