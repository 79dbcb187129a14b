"""Voices that are not here are fetched a megabyte a step; without a network the job says so. Long sounds stay small."""

from __future__ import annotations

import hashlib
import itertools
import socket
import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from pipelines.errors import ModelUnavailable
from pipelines.requests import AudioFormat
from pipelines.speech import catalog
from pipelines.speech.audio.mastering import Master
from pipelines.speech.audio.track import Track
from pipelines.speech.pipeline import SpeechPipeline
from tests.pipelines.speech.support.requests import asked, told


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A server that has the voice kore: the bundled one under another name. Gives its address."""
    from hibari import voices as registry

    data = (catalog.hibari().folder / "hibari.onnx").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    told = registry.VOICES["kore"] | {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    monkeypatch.setitem(registry.VOICES, "kore", told)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def opened(url: str) -> SpeechPipeline:
    from pipelines.speech.voices.hibari import HibariVoice

    return SpeechPipeline(HibariVoice(catalog.hibari(), base_url=url), catalog.hibari())


def test_a_voice_is_fetched_step_by_step_and_then_speaks(served, tmp_path):
    pipeline = opened(served)
    assert catalog.hibari().here == ("heart",)
    state = pipeline.prepare(asked("Hi.", voice="kore"), {})
    assert [kind for kind, _ in state.todo] == ["fetch"] * 8 + ["speak"]
    assert not state.track.samples
    speech = told(pipeline, "Hi.\n[voice:heart] Hi.", voice="kore")
    assert [piece.info["voice"] for piece in speech.pieces] == ["kore", "heart"]
    assert catalog.hibari().here == ("heart", "kore")
    assert [file.name for file in tmp_path.iterdir()] == ["af_kore.int8.onnx"], "no half of a file is left"
    assert pipeline.voice.missing("kore") == 0


def test_how_far_a_download_is_can_be_told(served):
    pipeline = opened(served)
    state, seen = pipeline.prepare(asked("Hi.\n[voice:heart] Hi.", voice="kore"), {}), []
    while state.todo[0][0] == "fetch":
        seen.append(state.doing)
        pipeline.step([state])
    assert list(dict.fromkeys(seen)) == [f"downloading Kore {part}%" for part in (0, 12, 25, 38, 50, 62, 75, 88)]
    assert state.doing == "", "it is here, and there is nothing more to be said"


def test_a_slow_network_holds_nobody_up(served, tmp_path):
    """Whoever waits for a megabyte keeps its place, and lets others have the device meanwhile."""
    server = socket.create_server(("127.0.0.1", 0))  # takes the call and says nothing
    pipeline = opened(f"http://127.0.0.1:{server.getsockname()[1]}/")
    waiting, other = (pipeline.prepare(asked("Hi.", voice=voice), {}) for voice in ("kore", "heart"))
    left, keys = waiting.steps_left, []
    for _ in range(4):
        pipeline.step([waiting])
        keys.append(pipeline.batch_key(waiting))
    assert waiting.steps_left == left
    assert all(a != b for a, b in itertools.pairwise(keys)), "the scheduler is told that as many steps are left"
    pipeline.step([other])
    assert pipeline.pieces(other)
    assert list(tmp_path.iterdir())
    waiting.download.close()  # as when the job is cancelled
    server.close()
    assert list(tmp_path.iterdir()) == [], "no half of a file is left"


def test_a_file_that_is_another_is_not_taken(served, tmp_path, monkeypatch):
    from hibari import voices as registry

    monkeypatch.setitem(registry.VOICES, "kore", registry.VOICES["kore"] | {"sha256": "0" * 64})
    with pytest.raises(ModelUnavailable, match="could not be fetched"):
        told(opened(served), "Hi.", voice="kore")
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_job_says_which_voices_are_here(tmp_path, monkeypatch):
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    with pytest.raises(ModelUnavailable, match=r"voice emma is not on this machine.*choose one that is here: heart"):
        told(opened("http://127.0.0.1:9/"), "Hi.", voice="emma")


def test_a_long_sound_is_held_once(monkeypatch):
    """Ten minutes: the file is in memory, the track is not."""
    monkeypatch.setattr("pipelines.speech.audio.track.IN_MEMORY", 2**20)
    rate = 8000
    tone = (np.sin(np.arange(rate) * 0.5) * 3000).astype("<i2").tobytes()
    tracemalloc.start()
    track = Track(rate)
    master = Master(track, AudioFormat.WAV, -16.0, {})
    for _ in range(600):
        track.add(tone)
    while master.move():
        pass
    master.finish()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(master.file) > 600 * rate * 2
    assert peak < 1.5 * len(master.file)
