"""Folders that cannot or must not be opened, the hub, and the shelf's memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import torch

from pipelines.catalog import folders, hub
from pipelines.catalog.catalog import Catalog
from pipelines.errors import ModelUnavailable
from pipelines.runtime.model_pool import ModelPool
from tests.pipelines.support.image_requests import request


def pickle_only(folder: Path) -> None:
    (folder / "unet" / "diffusion_pytorch_model.safetensors").rename(folder / "unet" / "diffusion_pytorch_model.bin")


def cut(part: str, size: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / part).write_bytes((folder / part).read_bytes()[:size])

    return damage


def gone(part: str) -> Callable[[Path], None]:
    return lambda folder: (folder / part).unlink()


def other_text_encoder(folder: Path) -> None:
    index = folder / "model_index.json"
    index.write_text(index.read_text().replace('"CLIPTextModel"', '"os.system"'))


def other_sizes(folder: Path) -> None:
    config = folder / "unet" / "config.json"
    config.write_text(config.read_text().replace('"layers_per_block": 1', '"layers_per_block": 2'))


DAMAGES = {
    "pickle": (pickle_only, "as a pickle"),
    "index cut": (cut("model_index.json", 40), "model_index.json cannot be read"),
    "index no object": (lambda folder: (folder / "model_index.json").write_text("[]"), "damaged"),
    "unet config cut": (cut("unet/config.json", 30), "unet/config.json cannot be read"),
    "unet config empty": (lambda folder: (folder / "unet/config.json").write_text("{}"), "settings are incomplete"),
    "unet config gone": (gone("unet/config.json"), "unet/config.json is missing"),
    "weights gone": (gone("vae/diffusion_pytorch_model.safetensors"), "weights of its vae are missing"),
    "weights cut": (cut("unet/diffusion_pytorch_model.safetensors", 5_000), "its unet cannot be opened"),
    "weights of another": (other_sizes, "its unet"),
    "words gone": (lambda folder: shutil.rmtree(folder / "tokenizer"), "the vocabulary of its tokenizer is missing"),
    "strange class": (other_text_encoder, "not supported yet"),
    "scheduler gone": (gone("scheduler/scheduler_config.json"), "is missing"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_bad_folder_gives_one_sentence(name: str, models: Path, tmp_path: Path):
    damage, words = DAMAGES[name]
    shutil.copytree(models / "sd", tmp_path / "bad")
    damage(tmp_path / "bad")
    shelf = ModelPool(Catalog([tmp_path]), "cpu")
    with pytest.raises(ModelUnavailable) as refused:
        shelf.pipeline(request(model="bad"))
    said = str(refused.value)
    assert words in said
    assert said.count("\n") == 0
    assert str(tmp_path) not in said
    assert said.endswith(".")
    assert shelf.loaded() == []


def test_offline_the_sentence_says_what_is_missing_and_how_to_get_it(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelUnavailable) as refused:
        ModelPool(Catalog(), "cpu").fetch("somebody/some-model", lambda text, part: None)
    for words in ("somebody/some-model is not on this machine", "hf download somebody/some-model", "cache"):
        assert words in str(refused.value)


def test_a_hub_model_is_fetched_without_pickles_and_with_progress(models: Path, tmp_path: Path, monkeypatch):
    names = [str(file.relative_to(models / "sd")) for file in (models / "sd").rglob("*") if file.is_file()]
    files = [
        SimpleNamespace(rfilename=name, size=100) for name in [*names, "unet/diffusion_pytorch_model.bin", "x.ckpt"]
    ]
    taken = []

    def download(repo: str, name: str, *, revision: str, tqdm_class: type) -> str:
        assert (repo, revision) == ("somebody/sd", "main")
        taken.append(name)
        tqdm_class(total=100).update(100)
        return str(models / "sd" / name)

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: SimpleNamespace(siblings=files))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr("pipelines.catalog.hub.fetch_resumable", lambda *_: None)  # catalog/test_hub.py
    seen: list[float] = []
    entry = hub.fetch(Catalog().find("somebody/sd@main"), lambda _, part: seen.append(part))
    assert sorted(taken) == sorted(names)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert (entry.id, entry.width, entry.source) == ("somebody/sd@main", 64, "hub")


def test_full_precision_is_fetched_only_once():
    unet = "unet/diffusion_pytorch_model"
    files = {f"{unet}.safetensors": 4, f"{unet}.fp16.safetensors": 2, "vae/diffusion_pytorch_model.fp16.safetensors": 1}
    assert [name for name, _ in hub._wanted(files)] == [
        f"{unet}.safetensors",
        "vae/diffusion_pytorch_model.fp16.safetensors",
    ]


def test_the_least_recently_used_model_makes_room(models: Path):
    shelf = ModelPool(Catalog([models]), "cpu")
    for model in ("sd", "v", "sd"):
        shelf.pipeline(request(model=model))
    assert shelf.loaded() == ["v", "sd"]
    shelf.memory_budget = 20_000_000
    held = sum(shelf.pipeline(request(model=model)).parts.nbytes for model in ("v", "sd"))
    shelf.memory_budget = int(held * 1.8)
    shelf._check = lambda *_: None
    shelf.pipeline(request(model="turbo"))
    assert shelf.loaded() == ["sd", "turbo"]


def test_loading_tells_its_progress_and_the_device_says_what_it_is(models: Path):
    shelf, seen = ModelPool(Catalog([models]), "cpu"), []
    shelf.pipeline(request(), lambda words, part: seen.append((words, part)))
    assert seen[0] == ("loading sd", 0.0)
    assert seen[-1] == ("loading sd", 1.0)
    info = shelf.device_info()
    assert info["device"] == "cpu"
    assert 0 < info["memory_used"] < info["memory_total"]


def test_half_precision_files_open_where_there_are_no_others(models: Path, tmp_path: Path):
    shutil.copytree(models / "sd", tmp_path / "half")
    for file in list((tmp_path / "half").rglob("*.safetensors")):
        file.rename(file.with_name(file.name.replace(".safetensors", ".fp16.safetensors")))
    ours = ModelPool(Catalog([tmp_path]), "cpu").pipeline(request(model="half"))
    assert ours.parts.unet.dtype == torch.float32


def test_a_model_that_is_not_here_is_missing_until_it_was_fetched(models: Path, monkeypatch):
    shelf, asked = ModelPool(Catalog([models]), "cpu"), request(model="somebody/sd")
    there = folders.read("somebody/sd", models / "sd", "hub")
    monkeypatch.setattr(hub, "fetch", lambda entry, progress: there)
    assert not shelf.missing(request(model="sd"))
    assert shelf.missing(asked)
    with pytest.raises(ModelUnavailable, match="not on this machine yet"):
        shelf.pipeline(asked)
    shelf.fetch("somebody/sd", lambda text, part: None)
    assert not shelf.missing(asked)
    assert shelf.pipeline(asked).entry.id == "somebody/sd"
    assert not shelf.missing(asked)
