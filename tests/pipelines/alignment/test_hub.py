"""Models in the layout of transformers: found in folders and on the hub, opened from safetensors or refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest

from pipelines.catalog import hub
from pipelines.catalog.catalog import Catalog
from pipelines.errors import InvalidRequest, ModelUnavailable
from pipelines.requests import AlignRequest, ImageRequest
from pipelines.runtime.model_pool import ModelPool


@pytest.fixture
def online(aligned: Path, tmp_path: Path, monkeypatch):
    """A hub that has the tiny CLIP and many files that we do not open; gives the names of those that were fetched."""
    fetched: list[str] = []
    names = {file.name: file.stat().st_size for file in (aligned / "clip").iterdir()}
    names |= {"pytorch_model.bin": 9, "pytorch_model.bin.index.json": 9, "onnx/model.onnx": 9, "training.py": 9}

    def download(repo: str, name: str, **_: object) -> str:
        fetched.append(name)
        (tmp_path / "cache").mkdir(exist_ok=True)
        return str(shutil.copy(aligned / "clip" / name, tmp_path / "cache" / name))

    files = [SimpleNamespace(rfilename=name, size=size) for name, size in names.items()]
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: SimpleNamespace(siblings=files))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr("pipelines.catalog.hub.fetch_resumable", lambda *_: None)  # tests/pipelines/catalog/test_hub.py
    return SimpleNamespace(fetched=fetched, files=files)


def test_only_what_is_opened_is_fetched(online):
    entry = hub.fetch(Catalog().find("somebody/clip"), lambda text, part: None)
    assert (entry.task, entry.family, entry.id) == ("align", "clip", "somebody/clip")
    assert {"config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json"} <= set(online.fetched)
    assert not [name for name in online.fetched if "bin" in name or "onnx" in name or name.endswith(".py")]


def test_a_repository_with_pickles_only_is_refused_before_anything_is_fetched(online):
    online.files[:] = [file for file in online.files if "safetensors" not in file.rfilename]
    with pytest.raises(ModelUnavailable, match="pickle"):
        hub.fetch(Catalog().find("somebody/clip"), lambda text, part: None)
    assert online.fetched == []


def test_a_folder_with_pickles_only_is_refused(aligned: Path, tmp_path: Path):
    shutil.copytree(aligned / "clip", tmp_path / "mine")
    (tmp_path / "mine" / "model.safetensors").rename(tmp_path / "mine" / "pytorch_model.bin")
    with pytest.raises(ModelUnavailable, match="pickle"):
        Catalog([tmp_path], bundled=tmp_path / "none").find("mine")


def test_a_folder_in_parts_must_have_all_of_them(aligned: Path, tmp_path: Path):
    folder = shutil.copytree(aligned / "clip", tmp_path / "mine")
    weights = folder / "model.safetensors"
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    weights.rename(folder / "model-00001-of-00002.safetensors")
    with pytest.raises(ModelUnavailable, match="1 of its weight files"):
        Catalog([tmp_path], bundled=tmp_path / "none").find("mine")
    shutil.copy(folder / "model-00001-of-00002.safetensors", folder / "model-00002-of-00002.safetensors")
    entry = Catalog([tmp_path], bundled=tmp_path / "none").find("mine")
    assert entry.stored_bytes == 2 * (folder / "model-00001-of-00002.safetensors").stat().st_size


def test_an_index_cannot_name_files_elsewhere(aligned: Path, tmp_path: Path):
    folder = shutil.copytree(aligned / "clip", tmp_path / "mine")
    (folder / "model.safetensors").rename(tmp_path / "other.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../other.safetensors"}}))
    with pytest.raises(ModelUnavailable, match="weight files are missing"):
        Catalog([tmp_path], bundled=tmp_path / "none").find("mine")


@pytest.mark.parametrize("damage", ["{", "[]", '{"model_type": "clip", "vision_config": {"patch_size": 0}}'])
def test_damaged_settings_are_one_sentence(aligned: Path, tmp_path: Path, damage: str):
    shutil.copytree(aligned / "clip", tmp_path / "mine")
    (tmp_path / "mine" / "config.json").write_text(damage)
    with pytest.raises(ModelUnavailable, match="damaged"):
        Catalog([tmp_path], bundled=tmp_path / "none").find("mine")


def test_damaged_weights_are_one_sentence(aligned: Path, tmp_path: Path):
    shutil.copytree(aligned / "clip", tmp_path / "mine")
    (tmp_path / "mine" / "model.safetensors").write_bytes(b"x" * 100)
    shelf = ModelPool(Catalog([tmp_path], bundled=tmp_path / "none"), "cpu")
    with pytest.raises(ModelUnavailable, match="mine is damaged") as caught:
        shelf.pipeline(AlignRequest(model="mine", texts=("a",)))
    assert str(tmp_path) not in str(caught.value)


def test_the_shelf_opens_it_by_its_task(aligned: Path, tmp_path: Path):
    shelf = ModelPool(Catalog([aligned], bundled=tmp_path), "cpu", alignment="clip")
    pipeline = shelf.pipeline(AlignRequest(model="clip", texts=("a",)))
    assert shelf.alignment() is pipeline
    assert pipeline.nbytes > 1000
    with pytest.raises(InvalidRequest, match="a model for image"):
        shelf.check(ImageRequest(model="clip", prompt="x"))
