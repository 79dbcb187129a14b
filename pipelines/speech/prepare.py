"""From a request to the state of its job: what is spoken by whom, what has to be fetched, which steps that takes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.errors import InvalidRequest
from pipelines.requests import SpeechRequest
from pipelines.speech.audio import encoding
from pipelines.speech.audio.mastering import Master, portions
from pipelines.speech.audio.track import Track
from pipelines.speech.state import FETCH, MASTER, SPEAK, SpeechState, Step
from pipelines.speech.text import chunking, markup, normalize, plan
from pipelines.speech.text.plan import Chunk

if TYPE_CHECKING:
    from pipelines.speech.catalog import VoiceEntry
    from pipelines.speech.voice import Samples, Voice

A_SECOND = 14  # weight (`cutting.weigh`) that is spoken in a second


def prepare(voice: Voice, entry: VoiceEntry, request: SpeechRequest, files: Mapping[str, bytes]) -> SpeechState:
    """Raises InvalidRequest where nothing is left to be spoken; BadUpload for a recording that is none."""
    default = request.voice.strip() or next(iter(entry.voices), "")
    notes: list[str] = []
    chunks = _chunks(voice, entry, request, default, notes)
    sample = _sample(voice, request, files)
    track = Track(voice.sample_rate)
    master = Master(track, request.format, request.loudness, _tags(request, default))
    return SpeechState(request, default, chunks, _todo(voice, request, chunks), track, master, notes, sample)


def _chunks(voice: Voice, entry: VoiceEntry, request: SpeechRequest, default: str, notes: list[str]) -> list[Chunk]:
    skipped: list[str] = []
    chunks: list[Chunk] = []
    for chunk in plan.plan(request.text, voice.longest, next(iter(languages_of(voice, default)), "en")):
        speaker = chunk.voice or default
        text = normalize.readable(chunk.text, languages_of(voice, speaker), skipped)
        if any(character.isalnum() for character in text):
            chunks.append(replace(chunk, text=text, voice=speaker))
        elif chunks:
            chunks[-1] = _longer(chunks[-1], chunk)
    languages = languages_of(voice, default)
    if skipped:
        notes.append(normalize.warning(skipped, entry.name, languages))
    if not chunks:
        raise InvalidRequest("text", request.text, f"words that {entry.name} can read ({normalize.named(languages)})")
    return chunks


def languages_of(voice: Voice, speaker: str) -> tuple[str, ...]:
    """What that one of the voices speaks: its own language, or the languages of all."""
    blended = speaker and speaker not in voice.voices
    name = next(iter(markup.blend(speaker))) if blended else speaker
    if len(voice.languages) == len(voice.voices) and name in voice.voices:
        return (voice.languages[voice.voices.index(name)],)
    return voice.languages


def _longer(before: Chunk, dropped: Chunk) -> Chunk:
    """The pause after what is not spoken becomes the pause after what comes before it."""
    if dropped.fixed or (dropped.after > before.after and not before.fixed):
        return replace(before, after=dropped.after, fixed=dropped.fixed)
    return before


def _todo(voice: Voice, request: SpeechRequest, chunks: list[Chunk]) -> deque[Step]:
    """Downloads, then a step a chunk, then the file."""
    todo: deque[Step] = deque()
    for name in dict.fromkeys(chunk.voice for chunk in chunks):
        todo.extend([(FETCH, name)] * voice.missing(name))
    todo.extend((SPEAK, i) for i in range(len(chunks)))
    seconds = sum(chunking.weigh(chunk.text) / A_SECOND / request.speed + chunk.after for chunk in chunks)
    todo.extend([(MASTER, "")] * portions(seconds, request.format))  # a guess, for the progress that is shown
    return todo


def _sample(voice: Voice, request: SpeechRequest, files: Mapping[str, bytes]) -> Samples | None:
    if request.voice_sample is None:
        return None
    if request.voice_sample not in files:
        raise InvalidRequest("voice_sample", request.voice_sample, "a recording that was uploaded before")
    from pipelines.speech.audio.recordings import decode

    return decode(files[request.voice_sample], voice.sample_rate)


def _tags(request: SpeechRequest, voice: str) -> dict[str, str]:
    """What a sound file says about itself; `comment` is the whole request as JSON, with the voice that speaks."""
    told = request.model_copy(update={"voice": voice}).model_dump(mode="json")
    return encoding.tags(request.text, voice, json.dumps(told, ensure_ascii=False))
