"""Whoever listens hears a text to its end, whatever else the studio does meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from studio.jobs import streams
from studio.web import audio_stream
from studio.web.context import Studio
from tests.studio.web.test_speech import PCM, RATE, Played, heard, taken


@pytest.mark.parametrize("limit", ["KEPT", "KEPT_BYTES"])
def test_a_stream_is_heard_to_its_end_though_it_was_dropped_meanwhile(
    idle: Callable[..., Studio], monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(streams, limit, 2 if limit == "KEPT" else 1)
    job, pieces = Played(idle()), 3 * audio_stream.BLOCK // len(PCM)

    async def main() -> bytes:
        sound = job.follow()
        job.speaks(pieces)
        begun = await heard(sound, 45)
        assert len(begun) < 44 + pieces * len(PCM)
        job.fails()
        for _ in range(3):
            other = Played(job.studio)
            other.speaks()
            other.fails()
        assert not job.engine.stream(job.owner, job.id).exists()
        return begun + await taken(sound)

    assert asyncio.run(main()) == audio_stream.header(RATE) + pieces * PCM


def test_no_file_is_held_open_when_nobody_listens_any_more(
    idle: Callable[..., Studio], monkeypatch: pytest.MonkeyPatch
) -> None:
    job, read = Played(idle()), []

    class Growing(audio_stream.Growing):
        def read(self, at: int) -> bytes:
            read.append(self)
            return super().read(at)

    async def main() -> None:
        sound = job.follow()
        job.speaks()
        await heard(sound, 45)
        await sound.aclose()

    monkeypatch.setattr(audio_stream, "Growing", Growing)
    asyncio.run(main())
    assert read[0]._file.closed
