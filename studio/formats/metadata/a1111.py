"""The text that AUTOMATIC1111's web UI made common for a picture's settings:

    prompt, any number of lines
    Negative prompt: any number of lines
    Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Model: name, Anything: "with, a: comma"

A value with a comma, colon or newline is JSON-quoted. Unknown names survive.
Source: modules/infotext_utils.py of that program.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

NEGATIVE = "Negative prompt:"
_NAME = re.compile(r"\s*(\w[\w \-/.+()]*?):\s*")
_STEPS = re.compile(r"\s*Steps:\s*\d")
_MUST_QUOTE = re.compile(r"""[,:\n\r]|^["\[{]|^\s|\s$|^$""")
_FEWEST = 3  # a last line with fewer names than this is taken for prompt, as that program does


@dataclass(frozen=True, slots=True)
class Parameters:
    """Prompt, negative prompt, and the settings line: names as written, values as text."""

    prompt: str = ""
    negative_prompt: str = ""
    settings: dict[str, str] = field(default_factory=dict)


def compose(parameters: Parameters) -> str:
    """The text; `parse` gives back the same but for spaces at the ends of lines, unless a line of the prompt itself
    starts with NEGATIVE."""
    lines = [parameters.prompt]
    if parameters.negative_prompt:
        lines.append(f"{NEGATIVE} {parameters.negative_prompt}")
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in parameters.settings.items()))
    return "\n".join(lines)


def parse(text: str) -> Parameters:
    """What can be read from the text; never raises, at worst everything is prompt. Lines are stripped, as there."""
    lines = [line.strip() for line in text.strip().split("\n")]
    at = _settings_line(lines)
    settings = _settings(lines[at]) if at is not None else {}
    words = lines[:at]
    negative = next((i for i, line in enumerate(words) if line.startswith(NEGATIVE)), len(words))
    negative_prompt = "\n".join(words[negative:]).removeprefix(NEGATIVE)
    return Parameters("\n".join(words[:negative]).strip(), negative_prompt.strip(), settings)


def _settings_line(lines: list[str]) -> int | None:
    """The last line that starts with Steps; else the last line, if it has enough names. Extensions add lines below."""
    for i in reversed(range(len(lines))):
        if _STEPS.match(lines[i]) and len(_settings(lines[i])) >= _FEWEST:
            return i
    filled = [i for i, line in enumerate(lines) if line.strip()]
    return filled[-1] if filled and len(_settings(lines[filled[-1]])) >= _FEWEST else None


def _settings(line: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while match := _NAME.match(line, at):
        value, end = _value(line, match.end())
        found.setdefault(match[1], value)
        at = end + 1
    return found


def _value(line: str, start: int) -> tuple[str, int]:
    """The value that begins at `start`, and where its comma is: quoted text, a bare JSON list or object, or plain."""
    if line[start : start + 1] in ('"', "[", "{"):
        try:
            value, end = json.JSONDecoder().raw_decode(line, start)
        except (ValueError, RecursionError):
            pass
        else:
            rest = re.compile(r"\s*(,|$)").match(line, end)
            if rest:
                return (value if isinstance(value, str) else line[start:end]), rest.start(1)
    end = line.find(",", start)
    end = len(line) if end < 0 else end
    return line[start:end].strip(), end


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if _MUST_QUOTE.search(value) else value
