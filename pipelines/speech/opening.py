"""Opens a voice by the family of its entry. Only the worker imports what voices are made of."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from pipelines.errors import ModelUnavailable, TriptychError
from pipelines.speech.catalog import VoiceEntry
from pipelines.speech.pipeline import SpeechPipeline

if TYPE_CHECKING:
    from pipelines.runtime.options import Options

# family -> module of pipelines.speech.voices, its class, the package it needs and the extra that brings it
_FAMILIES = {
    "hibari": ("hibari", "HibariVoice", "hibari-tts", ""),
    "piper": ("piper", "PiperVoice", "piper-tts", "voices"),
    "kokoro": ("kokoro", "KokoroVoice", "kokoro-onnx", "voices"),
    "vits": ("vits", "VitsVoice", "", ""),
    "speecht5": ("speecht5", "SpeechT5Voice", "", ""),
    "bark": ("bark", "BarkVoice", "", ""),
    "pocket_tts": ("pocket", "PocketVoice", "", ""),
}


def open_voice(
    entry: VoiceEntry, options: Options, progress: Callable[[str, float], None], alignment: object = None
) -> SpeechPipeline:
    """The pipeline of a voice. Raises ModelUnavailable with one sentence."""
    module, name, package, extra = _FAMILIES[entry.family]
    progress(f"loading {entry.name}", 0.0)
    try:
        kind = getattr(import_module(f"pipelines.speech.voices.{module}"), name)
        voice = kind(entry, options)
    except TriptychError:
        raise
    except ImportError as error:
        how = f"pip install 'triptych[{extra}]'" if extra else f"pip install {package}"
        raise ModelUnavailable(f"{entry.name} needs the package {package}; `{how}` installs it.") from error
    except Exception as error:
        raise ModelUnavailable(f"{entry.name} is damaged: it cannot be opened.") from error
    progress(f"loading {entry.name}", 1.0)
    return SpeechPipeline(voice, entry)
