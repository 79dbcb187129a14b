"""What may stand in a text beside words: `[pause:1s]`, `[voice:name]` at the start of a line, and blends of voices.

[pause:1s] [pause:500ms] [pause:2]     silence of that length, at most 30 s
[voice:emma] Good morning.             that line is spoken by emma
heart(2)+emma(1)                       two parts of heart, one of emma
"""

from __future__ import annotations

import re

from pipelines.errors import InvalidRequest

MAX_PAUSE, MAX_SILENCE = 30.0, 600.0  # seconds: of one pause, and of all pauses of a text together
MAX_VOICES_IN_A_BLEND = 8

PAUSE = re.compile(r"\[pause:([^\]\n]{0,40})\]", re.IGNORECASE)
VOICE = re.compile(r"[ \t\u3000]*\[voice:([^\]\n]{0,200})\][ \t\u3000]*", re.IGNORECASE)
_LENGTH = re.compile(r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*(ms|s|)\s*", re.IGNORECASE | re.ASCII)
_PART = re.compile(r"\s*([^()+]+?)\s*(?:\(\s*(\d{1,6}(?:\.\d{1,6})?)\s*\))?\s*", re.ASCII)


def pause(tag: re.Match[str]) -> float:
    """Seconds of a `[pause:…]`. Raises InvalidRequest."""
    length = _LENGTH.fullmatch(tag[1])
    seconds = float(length[1]) / (1000 if length[2].lower() == "ms" else 1) if length else -1.0
    if not 0 <= seconds <= MAX_PAUSE:
        raise InvalidRequest("text", tag[0], f"[pause:1s] or [pause:500ms], at most {MAX_PAUSE:.0f} s")
    return seconds


def blend(voice: str) -> dict[str, float]:
    """The voices of "a(2)+b(1)" and their shares, which add up to 1; a plain name has the share 1.

    Raises InvalidRequest.
    """
    written = voice.split("+")
    parts = [part for part in map(_PART.fullmatch, written) if part]
    if len(parts) < len(written) or len(parts) > MAX_VOICES_IN_A_BLEND:
        raise InvalidRequest("voice", voice, "a name, or a blend like a(2)+b(1)")
    shares: dict[str, float] = {}
    for part in parts:
        shares[part[1]] = shares.get(part[1], 0.0) + float(part[2] or 1)
    if (total := sum(shares.values())) <= 0:
        raise InvalidRequest("voice", voice, "a blend in which some voice has a part of more than 0")
    return {name: share / total for name, share in shares.items() if share}


def voices_in(text: str) -> list[str]:
    """The names that `[voice:…]` gives lines of the text, each once, in order."""
    tags = (VOICE.match(line) for line in text.splitlines())
    return list(dict.fromkeys(name for tag in tags if tag and (name := tag[1].strip())))


def check(text: str) -> None:
    """Raises InvalidRequest for a pause that is none, or for pauses that add up to more than ten minutes."""
    silence = sum(pause(tag) for tag in PAUSE.finditer(text))
    if silence > MAX_SILENCE:
        raise InvalidRequest("text", f"{silence:.0f} s of pauses", f"at most {MAX_SILENCE:.0f} s of pauses together")
