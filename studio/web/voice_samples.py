"""What a voice says when it introduces itself, and where that is remembered."""

from __future__ import annotations

from pathlib import Path

from pipelines.catalog.catalog import Entry
from pipelines.errors import InvalidRequest
from studio.storage.atomic import write_file

SENTENCES = {
    "en": "Hello. This is how I sound when I read to you.",
    "zh": "你好，我读给你听的时候，就是这个声音。",
    "de": "Hallo. So klinge ich, wenn ich dir vorlese.",
    "fr": "Bonjour. Voici ma voix quand je vous fais la lecture.",
    "es": "Hola. Así sueno cuando te leo.",
    "ja": "こんにちは。これが私の声です。",
}
KEPT = 200  # samples; the oldest go first


def sentence(entry: Entry, voice: str) -> str:
    """In the language of the voice. Raises InvalidRequest where the model is none for speech."""
    if entry.task != "speech":
        raise InvalidRequest("model", entry.id, "a model for speech")
    languages, voices = getattr(entry, "languages", ()), getattr(entry, "voices", ())
    at = voices.index(voice) if voice in voices and len(languages) == len(voices) else 0
    language = languages[at] if languages else "en"
    return SENTENCES.get(language.partition("-")[0], SENTENCES["en"])


def keep(path: Path, data: bytes) -> None:
    """Writes it, and lets go of the oldest when there are too many."""
    write_file(path, data)
    files = sorted(path.parent.glob("*.mp3"), key=lambda file: file.stat().st_mtime)
    for file in files[:-KEPT]:
        file.unlink(missing_ok=True)
