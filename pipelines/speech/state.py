"""A speech in the making: everything that belongs to its job alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from pipelines.base import Piece
from pipelines.errors import TriptychError
from pipelines.requests import SpeechRequest
from pipelines.speech.audio.mastering import Master
from pipelines.speech.audio.track import Track
from pipelines.speech.text.plan import Chunk
from pipelines.speech.voice import Samples

FETCH: Final = "fetch"
SPEAK: Final = "speak"
MASTER: Final = "master"
# A voice that is fetched a part at a time; the number of a chunk; the file
Step = tuple[Literal["fetch"], str] | tuple[Literal["speak"], int] | tuple[Literal["master"], str]


@dataclass(slots=True, eq=False)
class SpeechState:
    """todo: steps to come, (FETCH, voice), (SPEAK, number of a chunk) or (MASTER, "").

    sample: the recording that the voice is taken from, at the voice's rate. sentences: what is said about each chunk.
    pending: pieces that nobody has taken yet. download: the one that is under way. fetching: voices that were not
    here, and how many steps each takes.
    waits: how often a step of a download had to be waited for.
    """

    request: SpeechRequest
    voice: str
    chunks: list[Chunk]
    todo: deque[Step]
    track: Track
    master: Master
    notes: list[str]
    sample: Samples | None = None
    error: TriptychError | None = None
    sentences: list[dict] = field(default_factory=list)
    pending: list[Piece] = field(default_factory=list)
    download: Iterator[bool] | None = None
    waits: int = 0
    fetching: dict[str, int] = field(default_factory=dict)
    rows: int = 1
    steps_total: int = field(init=False)

    def __post_init__(self) -> None:
        self.steps_total = len(self.todo)

    @property
    def doing(self) -> str:
        """What a person is told of it now: how far a download is, else the remarks."""
        now = self.todo[0] if self.todo else None
        if now is None or now[0] != FETCH:
            return "; ".join(self.notes)
        left = self.todo.count(now)
        whole = self.fetching.setdefault(now[1], left)
        return f"downloading {now[1].title()} {1 - left / whole:.0%}"

    def plan(self, portions: int) -> None:
        """So many steps are left for the file, which is all that is left."""
        self.steps_total += portions - len(self.todo)
        self.todo = deque([(MASTER, "")] * portions)

    @property
    def steps_left(self) -> int:
        return len(self.todo)
