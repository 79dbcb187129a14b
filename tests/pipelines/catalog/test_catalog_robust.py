"""Whatever lies among the models: it is skipped, said once in the log, and shown with its reason; others are found."""

from __future__ import annotations

import json
import logging
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from pipelines.catalog import json_files
from pipelines.catalog.catalog import Catalog
from pipelines.errors import ModelUnavailable, UnknownModel

DEEP = "[" * 100_000
UNET, FAST = "unet/config.json", "few-step.safetensors"
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def written(part: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / part).write_text(text)


def header(part: str, text: str | bytes, length: int | None = None) -> Callable[[Path], None]:
    data = text.encode() if isinstance(text, str) else text
    return lambda folder: (folder / part).write_bytes(struct.pack("<Q", length or len(data)) + data)


def changed(part: str, **fields: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        known = json.loads((folder / part).read_text()) if (folder / part).exists() else {}
        (folder / part).write_text(json.dumps(known | fields))

    return change


def pipe(part: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / part).unlink()
        os.mkfifo(folder / part)

    return change


def link(part: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / part).unlink()
        (folder / part).symlink_to(folder / part)

    return change


def huge(part: str) -> Callable[[Path], None]:
    """Gigabytes, without a byte of them on the disk."""
    return lambda folder: os.truncate(folder / part, 2**33)


REFUSED = {
    "index deep": written("model_index.json", DEEP),
    "config deep": written(UNET, '{"a":' + DEEP),
    "config list": written(UNET, "[1]"),
    "config not text": lambda folder: (folder / UNET).write_bytes(b"\xff\xfe{}"),
    "config huge": huge(UNET),
    "config a pipe": pipe(UNET),
    "config a circle": link(UNET),
    "class a list": changed("model_index.json", _class_name=["StableDiffusionPipeline"]),
    "size a word": changed(UNET, sample_size="large"),
    "size an object": changed(UNET, sample_size={"a": 1}),
    "size infinite": written(UNET, '{"sample_size": 1e999, "in_channels": 4, "block_out_channels": [8]}'),
    "channels a word": changed(UNET, in_channels="4"),
    "levels without end": changed("vae/config.json", block_out_channels=[8] * 50_000),
    "advice not a number": written("triptych.json", '{"guidance_scale": NaN}'),
    "advice too long": changed("triptych.json", note="x" * 100_000),
    "advice half an emoji": written("triptych.json", '{"name": "\\ud83e"}'),
    "advice a list": changed("triptych.json", sampler=["Euler"]),
}
LISTED = {  # what is wrong is said when it is opened, or does no harm
    "header deep": header(WEIGHTS, '{"a":' + DEEP),
    "header of numbers": header(WEIGHTS, '{"a":1}'),
    "header list": header(WEIGHTS, "[1]"),
    "dtype a list": header(WEIGHTS, '{"a":{"dtype":["F32"]}}'),
    "header longer than any": header(WEIGHTS, "{}", 2**62),
    "few steps: sampler a list": header(FAST, '{"__metadata__":{"sampler":["Euler"]}}'),
    "few steps: metadata a list": header(FAST, '{"__metadata__":["Euler"]}'),
    "few steps: deep": header(FAST, DEEP),
    "adapter of scalars": header("image-prompt.safetensors", '{"image_proj.proj.weight":{"shape":[]}}'),
    "adapter of words": header("image-prompt.safetensors", '{"ip_adapter.1.to_k_ip.weight":{"shape":["a"]}}'),
}


@pytest.fixture
def parent(models: Path, tmp_path: Path) -> Path:
    """Two models: one that is fine, and `bad`, which is to be spoilt."""
    shutil.copytree(models / "sd", tmp_path / "good")
    shutil.copytree(models / "sd", tmp_path / "bad")
    return tmp_path


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_and_stops_nothing(name: str, parent: Path):
    REFUSED[name](parent / "bad")
    catalog = Catalog([parent], bundled=parent / "none")
    assert [entry.id for entry in catalog.entries("image")] == ["good"]
    (refused,) = catalog.refused()
    assert refused.id == "bad"
    assert refused.reason.endswith(".")
    assert len(refused.reason) < 300
    assert str(parent) not in refused.reason
    with pytest.raises(ModelUnavailable) as found:
        catalog.find("bad")
    assert str(found.value) == refused.reason
    with pytest.raises(UnknownModel):
        catalog.find("nothing")


@pytest.mark.parametrize("name", LISTED)
def test_a_damaged_file_beside_the_settings_stops_nothing(name: str, parent: Path):
    LISTED[name](parent / "bad")
    catalog = Catalog([parent], bundled=parent / "none")
    assert {"good", "bad"} <= {entry.id for entry in catalog.entries("image")}
    json.dumps([entry.note for entry in catalog.entries()])


def test_names_that_are_no_text_stop_nothing(parent: Path):
    os.rename(os.fsencode(parent / "bad"), os.fsencode(parent) + b"/b\xffd")
    catalog = Catalog([parent], bundled=parent / "none")
    assert [entry.id for entry in catalog.entries("image")] == ["good"]
    assert [refused.id for refused in catalog.refused()] == ["b\\udcffd"]


def test_links_in_circles_and_folders_that_may_not_be_read(parent: Path, monkeypatch):
    (parent / "circle").symlink_to(parent / "circle")
    (parent / "round").mkdir()
    (parent / "round" / "again").symlink_to(parent / "round")
    before = Path.is_file

    def locked(path: Path) -> bool:
        if path.parent.name == "bad":
            raise PermissionError(13, "Permission denied")
        return before(path)

    monkeypatch.setattr(Path, "is_file", locked)
    assert [entry.id for entry in Catalog([parent], bundled=parent / "none").entries("image")] == ["good"]


def test_a_folder_of_models_that_may_not_be_read(parent: Path, monkeypatch):
    def locked(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", locked)
    catalog = Catalog([parent], bundled=parent / "none")
    assert catalog.entries("image") == []
    with pytest.raises(UnknownModel):
        catalog.find("good")


def test_what_nobody_foresaw_is_a_refusal_too(parent: Path, monkeypatch):
    def broken(folder: Path, name: str, width: int) -> None:
        if name == "bad":
            raise ZeroDivisionError

    monkeypatch.setattr("pipelines.image.prompt.ip_adapter_files.find", broken)
    catalog = Catalog([parent], bundled=parent / "none")
    assert [entry.id for entry in catalog.entries("image")] == ["good"]
    assert "damaged" in catalog.refused()[0].reason


def test_the_log_says_it_once(parent: Path, caplog):
    written(UNET, DEEP)(parent / "bad")
    catalog = Catalog([parent], bundled=parent / "none")
    with caplog.at_level(logging.WARNING):
        catalog.entries()
        catalog.entries()
        catalog.refused()
    assert caplog.text.count("unet/config.json cannot be read") == 1


SINGLE = {
    "a whole SDXL model": ["model.diffusion_model.out.2.weight", "conditioner.embedders.1.model.ln_final.weight"],
    "a whole Stable Diffusion 1 model": ["model.diffusion_model.out.2.weight", "cond_stage_model.transformer.x"],
    "a LoRA": ["lora_unet_down_blocks_0.lora_down.weight"],
    "an autoencoder (VAE)": ["decoder.conv_in.weight", "encoder.conv_in.weight"],
    "something else": ["a.b.c"],
}


@pytest.mark.parametrize("kind", SINGLE)
def test_a_single_file_is_named_and_said_to_be_no_folder(kind: str, tmp_path: Path):
    save_file({name: np.zeros(1, np.float32) for name in SINGLE[kind]}, tmp_path / "mine.v1.safetensors")
    catalog = Catalog([tmp_path], bundled=tmp_path / "none")
    for name in ("mine.v1", "mine.v1.safetensors"):
        with pytest.raises(ModelUnavailable, match="single file, which cannot be opened yet") as refused:
            catalog.find(name)
        assert f"is {kind} in" in str(refused.value)
    assert [(each.id, each.reason) for each in catalog.refused()] == [("mine.v1", str(refused.value))]
    assert catalog.entries("image") == []


def test_other_files_among_the_models(tmp_path: Path):
    (tmp_path / "old.ckpt").write_bytes(b"\x80")
    (tmp_path / "cut.safetensors").write_bytes(b"\x80")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    catalog = Catalog([tmp_path], bundled=tmp_path / "none")
    reasons = {each.id: each.reason for each in catalog.refused()}
    assert set(reasons) == {"old", "cut"}
    assert "as a pickle" in reasons["old"]
    assert "damaged file" in reasons["cut"]
    with pytest.raises(ModelUnavailable, match=r"empty is a folder without a model_index.json or a config.json"):
        catalog.find("empty")


@given(st.binary(max_size=300), st.none() | st.integers(0, 2**64 - 1))
def test_any_bytes_are_an_object_or_an_error_that_is_foreseen(tmp_path_factory, data: bytes, length: int | None):
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_bytes(data if length is None else struct.pack("<Q", length) + data)
    for read in (json_files.read_object, json_files.read_header):
        try:
            assert isinstance(read(file), dict)
        except (OSError, ValueError):
            continue
