"""The file is made a little at a time: however long a sound is, no step of it takes more than a sentence does."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.requests import AudioFormat
from pipelines.speech.audio import loudness, mastering
from pipelines.speech.audio.mastering import Master, portions
from pipelines.speech.audio.track import Track
from tests.pipelines.speech.support.hum import RATE, humming
from tests.pipelines.speech.support.requests import asked

# Seconds of sound that go through one of the filters in a step: the dearest of them takes 3 ms for one, and a block
# may be begun when the step is nearly over.
MOST = mastering.A_STEP / 0.003 + 2 * mastering.BLOCK


@pytest.fixture
def filtered(monkeypatch):
    """Seconds of sound that any filter was given since `clear`."""
    seen, through = [], loudness.Chain.through

    def counted(chain, block):
        seen.append(len(block) / RATE)
        return through(chain, block)

    monkeypatch.setattr(loudness.Chain, "through", counted)
    return seen


def spiky(seconds: int) -> Track:
    """Quiet, but with clicks, so that the limiter is needed."""
    track, tone = Track(RATE), (np.sin(np.arange(RATE) * 0.5) * 2500).astype("<i2")
    tone[::2000] = 20_000
    for _ in range(seconds):
        track.add(tone.tobytes())
    return track


@pytest.mark.parametrize("format", AudioFormat)
def test_a_step_of_a_long_sound_is_no_longer_than_one_of_a_short_sound(filtered, format):
    for seconds in (20, 100):
        whole, steps, going = Master(spiky(seconds), format, -16.0, {}), [], True
        while going:
            going = whole.move()
            steps.append(sum(filtered))
            filtered.clear()
        assert len(steps) - 1 <= portions(seconds, format), "the rest is left for `finish`"
        assert max(steps) <= MOST
        assert sum(steps) == 2 * seconds + loudness.LOOKS * min(seconds, 30), "no sound is filtered for nothing"
        assert whole.levels.integrated == pytest.approx(-16.0, abs=0.5)
        assert whole.levels.true_peak <= -1.0


def test_steps_are_planned_when_all_is_spoken_and_the_end_does_less_than_one(filtered):
    pipeline = humming()
    state = pipeline.prepare(asked("A tone of some length, to be measured well. " * 50, format="mp3"), {})
    heard, spoken = [], len(state.chunks)
    while state.steps_left:
        key, left = pipeline.batch_key(state), state.steps_left
        pipeline.step([state])
        assert state.steps_left < left or pipeline.batch_key(state) != key, "the scheduler is told of more steps"
        heard.append(sum(filtered))
        filtered.clear()
    assert not any(heard[:spoken]), "what is spoken does not wait for the file"
    assert len(heard) - spoken > 10
    assert max(heard) <= MOST
    assert pipeline.finish(state).data
    assert sum(filtered) <= MOST
    assert state.steps_total == len(heard)
