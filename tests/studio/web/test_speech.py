"""Sound while it is made, its subtitles, and what is refused: over a studio whose worker is played by hand."""

from __future__ import annotations

import asyncio
import io
import itertools
import math
import struct
import wave
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from pipelines.errors import NotFound, TriptychError
from pipelines.requests import SpeechRequest
from studio.jobs.streams import KEPT, Streams
from studio.jobs.worker_events import WorkerEvents
from studio.web import audio_stream
from studio.web.context import Studio
from studio.worker.messages import Begun, Chunk, Failed, Finished

RATE = 24_000
PCM = struct.pack("<4800h", *(int(9000 * math.sin(i / 8)) for i in range(4800)))  # 0.2 s
Idle = Callable[..., Studio]


class Played:
    """A job whose worker says what the test wants."""

    def __init__(self, studio: Studio, owner: str = "ann"):
        self.studio, self.engine, self.owner = studio, studio.engine, owner
        self.foreman = WorkerEvents(studio.engine._manager)
        (job,) = studio.engine.submit(owner, SpeechRequest(text="One. Two. Three.", format="wav"))
        self.id, self.count = job.id, itertools.count()
        self.foreman.heard(Begun(self.id))

    def speaks(self, times: int = 1) -> None:
        for _ in range(times):
            number = next(self.count)
            info = {"index": number, "sentence": number, "text": f"Sentence {number}.", "span": [0, 4],
                    "start": number * 0.2, "end": number * 0.2 + 0.18, "words": [], "sample_rate": RATE}  # fmt: skip
            self.foreman.heard(Chunk(self.id, number, "audio/L16", PCM, info))

    def starts_over(self) -> None:
        self.foreman.lost()
        self.foreman.heard(Begun(self.id))
        self.count = itertools.count()

    def fails(self) -> None:
        self.foreman.heard(Failed(self.id, "error", "Sentence 3 could not be spoken."))

    def ends(self, sentences: list | None = None) -> str:
        info = {
            "duration": 0.4,
            "sample_rate": RATE,
            "format": "wav",
            "sentences": sentences or [],
            "peaks": [0.5, 1.0],
        }
        self.foreman.heard(
            Finished(self.id, "speech", "audio/wav", audio_stream.header(RATE, 4) + b"\0\1\0\1", info, b"")
        )
        return self.engine.view(self.owner, self.id)["artifact"]["id"]

    def follow(self, start: float = 0.0):
        size = audio_stream.whole_size(self.engine, self.owner, self.id, start)
        return audio_stream.follow(self.engine, self.owner, self.id, start, size)


async def taken(sound, seconds: float = 60.0) -> bytes:
    async with asyncio.timeout(seconds):
        return b"".join([block async for block in sound])


async def heard(sound, count: int) -> bytes:
    """At least `count` bytes of what there is."""
    data = b""
    while len(data) < count:
        data += await asyncio.wait_for(anext(sound), 60)
    return data


def test_what_is_spoken_is_heard_before_the_end_and_the_stream_ends_with_the_job(idle: Idle) -> None:
    job = Played(idle())

    async def main() -> bytes:
        sound = job.follow()
        job.speaks()
        first = await heard(sound, 44 + len(PCM))
        later = asyncio.create_task(taken(sound))
        await asyncio.sleep(0.05)
        assert not later.done()
        job.speaks(2)
        await asyncio.sleep(0.02)
        job.ends()
        return first + await later

    data = asyncio.run(main())
    assert data == audio_stream.header(RATE) + 3 * PCM


def test_who_waits_costs_nothing_until_a_piece_comes(idle: Idle, monkeypatch: pytest.MonkeyPatch) -> None:
    job, looks, waits, wait = Played(idle()), [], asyncio.Event(), audio_stream._changed
    monkeypatch.setattr(audio_stream.Growing, "read", lambda self, at: looks.append(at) or b"")
    monkeypatch.setattr(audio_stream, "_changed", lambda *of: waits.set() or wait(*of))

    async def main() -> None:
        job.speaks()
        listening = asyncio.create_task(taken(job.follow()))
        await asyncio.wait_for(waits.wait(), 60)
        before = len(looks)
        await asyncio.sleep(0.4)
        assert len(looks) == before == 1
        listening.cancel()

    asyncio.run(main())


def test_a_job_that_starts_over_goes_on_where_it_was(idle: Idle) -> None:
    job = Played(idle())

    async def main() -> bytes:
        sound = job.follow()
        job.speaks(2)
        data = await heard(sound, 44 + 2 * len(PCM))
        job.starts_over()
        job.speaks(3)
        job.ends()
        return data + await taken(sound)

    assert asyncio.run(main()) == audio_stream.header(RATE) + 3 * PCM


@pytest.mark.parametrize("how", ["fails", "cancelled"])
def test_what_was_spoken_stays_playable(idle: Idle, how: str) -> None:
    job = Played(idle())
    job.speaks(2)
    job.fails() if how == "fails" else job.engine.cancel("ann", job.id)
    data = asyncio.run(taken(job.follow()))
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (RATE, 1, 2 * 4800)
        assert file.readframes(9600) == 2 * PCM
    assert job.engine.view("ann", job.id)["pieces"] == 2


def test_listening_begins_anywhere(idle: Idle) -> None:
    job = Played(idle())
    job.speaks(2)
    job.fails()
    data = asyncio.run(taken(job.follow(0.3)))
    assert data == audio_stream.header(RATE, 4800) + (2 * PCM)[2 * 7200 :]
    assert asyncio.run(taken(job.follow(99.0))) == audio_stream.header(RATE, 0)


def test_nothing_spoken_is_a_sentence(idle: Idle) -> None:
    job = Played(idle())
    job.fails()
    with pytest.raises(NotFound, match="Nothing of this was spoken"):
        job.follow()
    client = client_of(job.studio)
    silent = Played(job.studio, owner_of(client, job.studio))
    silent.fails()
    assert client.get(f"/api/jobs/{silent.id}/audio").status_code == 204


def test_streams_of_ended_jobs_are_kept_up_to_a_number(tmp_path) -> None:
    streams = Streams(tmp_path / "streams")
    streams.end("never began")
    for number in range(KEPT + 3):
        streams.add(f"job {number}", b"1234")
        streams.end(f"job {number}")
    assert [n for n in range(KEPT + 3) if not streams.path(f"job {n}").exists()] == [0, 1, 2]


def client_of(studio: Studio) -> TestClient:
    from studio.web.api import create_api

    return TestClient(create_api(studio), base_url="http://127.0.0.1", follow_redirects=False,
                      raise_server_exceptions=False)  # fmt: skip


def owner_of(client: TestClient, studio: Studio) -> str:
    """Who this browser is: the owner of what it asks for."""
    job = client.post("/api/jobs", json={"kind": "speech", "text": "Who am I?"}).json()["jobs"][0]["id"]
    return studio.store.job(job).owner


def test_the_route_gives_what_was_spoken_and_then_the_file(idle: Idle) -> None:
    studio = idle()
    client = client_of(studio)
    job = Played(studio, owner_of(client, studio))
    job.speaks()
    job.engine.cancel(job.owner, job.id)
    answer = client.get(f"/api/jobs/{job.id}/audio")
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.content == audio_stream.header(RATE, len(PCM)) + PCM
    assert client.get(f"/api/jobs/{job.id}/audio", params={"start": "nan"}).status_code == 422
    assert client.get(f"/api/jobs/{job.id}/audio", params={"start": -1}).status_code == 422
    other = client_of(studio).get(f"/api/jobs/{job.id}/audio")
    assert (other.status_code, other.json()["error"]["code"]) == (404, "not_found")

    done = Played(studio, job.owner)
    artifact = done.ends()
    answer = client.get(f"/api/jobs/{done.id}/audio")
    assert (answer.status_code, answer.headers["location"]) == (307, f"/files/{artifact}")
    part = client.get(f"/files/{artifact}", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    assert client.get("/api/gallery", params={"kind": "speech"}).json()["items"][0]["info"]["peaks"] == [0.5, 1.0]
    assert client.get("/api/gallery", params={"kind": "image"}).json()["items"] == []


def heard_on_load(client: TestClient, owner: str, studio: Studio) -> list[dict]:
    """What the page is told when it opens, until the next news."""
    with client.websocket_connect("ws://127.0.0.1/live") as socket:
        events = []
        while not events or events[-1]["type"] != "status":
            events.append(socket.receive_json())
        last = Played(studio, owner).id
        while not any(event["type"] == "job" and event["job"]["id"] == last for event in events):
            events.append(socket.receive_json())
    return events


def test_a_page_that_opens_hears_of_the_parts_of_live_jobs_only(idle: Idle) -> None:
    studio = idle()
    client = client_of(studio)
    owner = owner_of(client, studio)
    going, failed, done = (Played(studio, owner) for _ in range(3))
    for job in (going, failed, done):
        job.speaks(2)
    failed.fails()
    done.ends()
    events = heard_on_load(client, owner, studio)
    assert [(e["job"], e["piece"]["number"]) for e in events if e["type"] == "piece"] == [(going.id, 0), (going.id, 1)]
    later = client.get(f"/api/jobs/{failed.id}/pieces").json()["pieces"]
    assert [piece["text"] for piece in later] == ["Sentence 0.", "Sentence 1."]
    assert client_of(studio).get(f"/api/jobs/{failed.id}/pieces").status_code == 404


def test_subtitles_by_sentence_and_by_word(idle: Idle) -> None:
    studio = idle()
    client = client_of(studio)
    job = Played(studio, owner_of(client, studio))
    words = [["Good", 0.0, 0.4], ["morning.", 0.4, 0.9]]
    said = {"index": 0, "sentence": 0, "text": "Good morning.", "span": [0, 13], "start": 0.0, "end": 0.9}
    artifact = job.ends([{**said, "words": words}])
    srt = client.get(f"/api/gallery/{artifact}/subtitles.srt")
    assert srt.headers["content-type"].startswith("application/x-subrip")
    assert "00:00:00,000 --> 00:00:00,900\nGood morning." in srt.text
    vtt = client.get(f"/api/gallery/{artifact}/subtitles.vtt", params={"words": 1})
    assert vtt.text.startswith("WEBVTT")
    assert "00:00:00.400 --> 00:00:00.900\nmorning." in vtt.text
    assert client.get(f"/api/gallery/{artifact}/subtitles.txt").status_code == 422
    assert client_of(studio).get(f"/api/gallery/{artifact}/subtitles.srt").status_code == 404


def test_a_recording_that_was_found_again_without_its_sentences_has_no_subtitles(idle: Idle) -> None:
    studio = idle()
    client = client_of(studio)
    played = Played(studio, owner_of(client, studio))
    played.speaks()
    artifact = played.ends()
    with studio.store.transaction() as db:
        db.execute("UPDATE artifacts SET info = '{}'")  # as `rebuild` writes it from the file alone
    answer = client.get(f"/api/gallery/{artifact}/subtitles.srt")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


REFUSED = {
    "empty": ({"text": ""}, "text"),
    "only spaces": ({"text": " \n\t "}, "text"),
    "only emoji": ({"text": "😀🎉👍🏽"}, "text"),
    "only symbols": ({"text": "!!! --- *** ..."}, "text"),
    "too long": ({"text": "a" * 100_001}, "text"),
    "no such voice": ({"text": "Hello.", "voice": "nobody"}, "voice"),
    "no such model": ({"text": "Hello.", "model": "nothing"}, "model"),
    "a picture model": ({"text": "Hello.", "model": "sprite"}, "model"),
    "no number": ({"text": "Hello.", "speed": "fast"}, "speed"),
    "too fast": ({"text": "Hello.", "speed": 9}, "speed"),
    "no such format": ({"text": "Hello.", "format": "exe"}, "format"),
    "no such sample": ({"text": "Hello.", "voice_sample": "0" * 64}, "voice_sample"),
    "a pause that is none": ({"text": "Hello [pause:99s] there."}, "text"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_spoken_is_one_sentence_at_its_field(browser: Callable[..., TestClient], name: str) -> None:
    fields, place = REFUSED[name]
    client = browser()
    answer = client.post("/api/jobs", json={"kind": "speech", **fields})
    error = answer.json()["error"]
    assert answer.status_code == 422
    assert error["field"] == place
    assert len(error["message"]) < 400
    assert error["message"].endswith((".", "…"))
    assert client.get("/api/jobs").json()["jobs"] == []


def test_a_speed_that_is_not_a_number_is_refused(browser: Callable[..., TestClient]) -> None:
    answer = browser().post("/api/jobs", content='{"kind": "speech", "text": "Hello.", "speed": NaN}',
                            headers={"Content-Type": "application/json"})  # fmt: skip
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "speed")


def test_ten_megabytes_are_refused_with_the_limit(browser: Callable[..., TestClient]) -> None:
    answer = browser().post("/api/jobs", json={"kind": "speech", "text": "word " * 2_000_000})
    assert answer.status_code == 413
    assert "100,000 characters" in answer.json()["error"]["message"]


def test_a_sample_is_spoken_once_and_remembered(idle: Idle, monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import Future

    from pipelines.base import Artifact

    studio, asked = idle(), []

    def ask(owner: str, request: SpeechRequest) -> Future:
        asked.append(request)
        future: Future = Future()
        if request.voice == "emma":
            future.set_exception(TriptychError("The voice emma could not be fetched."))
        else:
            future.set_result(Artifact("speech", "audio/mpeg", b"ID3 sound"))
        return future

    monkeypatch.setattr(studio.engine, "ask", ask)
    client = client_of(studio)
    for _ in range(2):
        answer = client.get("/api/voices/sample", params={"model": "hibari", "voice": "heart"})
        assert (answer.content, answer.headers["content-type"]) == (b"ID3 sound", "audio/mpeg")
    assert [request.priority for request in asked] == ["interactive"]
    assert client.get("/api/jobs").json()["jobs"] == []
    refused = client.get("/api/voices/sample", params={"model": "hibari", "voice": "emma"})
    assert refused.json()["error"]["message"] == "The voice emma could not be fetched."
    assert client.get("/api/voices/sample", params={"model": "sprite"}).json()["error"]["field"] == "model"
