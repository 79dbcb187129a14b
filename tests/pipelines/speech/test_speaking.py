"""From a text to its pieces and its file, with the bundled voice."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines import requests
from pipelines.errors import InvalidRequest
from tests.pipelines.speech.support.requests import asked, decoded, told

TEXT = "Hello there. Dr. Smith paid $3.50 for it.\n\nA new paragraph."


def test_the_pieces_laid_end_to_end_are_the_whole(hibari):
    speech = told(hibari, TEXT, loudness=None)
    whole, rate, _ = decoded(speech.artifact.data)
    assert rate == 24000
    assert np.array_equal(np.rint(whole * 32768).astype(int), speech.pcm.astype(int))
    assert speech.artifact.info["duration"] == pytest.approx(len(whole) / rate, abs=1e-3)


def test_each_piece_says_where_it_lies_in_the_text_and_in_time(hibari):
    speech = told(hibari, TEXT)
    spans = [piece.info["span"] for piece in speech.pieces]
    assert [TEXT[a:b] for a, b in spans] == ["Hello there.", "Dr. Smith paid $3.50 for it.", "A new paragraph."]
    assert [piece.info["paragraph"] for piece in speech.pieces] == [True, False, True]
    parts = [piece.info["part"] for piece in speech.pieces]
    assert parts == sorted(parts)
    assert parts[-1] == 1.0, "how much of the text is spoken"
    at = 0.0
    for piece in speech.pieces:
        assert at <= piece.info["start"] < piece.info["end"] <= at + len(piece.data) / 2 / 24000
        at += len(piece.data) / 2 / 24000
    assert [s["text"] for s in speech.artifact.info["sentences"]] == [piece.info["text"] for piece in speech.pieces]


@pytest.mark.parametrize("format", ["wav", "flac", "mp3", "opus"])
def test_a_file_says_what_it_is(hibari, format):
    speech = told(hibari, "Hello “you” & me.", format=format, speed=1.5)
    samples, rate, tags = decoded(speech.artifact.data)
    request = asked("Hello “you” & me.", format=format, speed=1.5)
    assert requests.from_json(tags["comment"]) == request.model_copy(update={"voice": "heart"})
    assert tags["title"] == "Hello “you” & me."
    assert abs(len(samples) / rate - speech.artifact.info["duration"]) < 0.1


def test_an_unknown_voice_is_refused_with_those_that_are_there(hibari):
    with pytest.raises(InvalidRequest, match=r"'nobody'.*heart, emma, fenrir, fable, kore"):
        hibari.check(asked("Hello", voice="nobody"))
    with pytest.raises(InvalidRequest, match="'nobody'"):
        hibari.check(asked("[voice:nobody] Hello"))
