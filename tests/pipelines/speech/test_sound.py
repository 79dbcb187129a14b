"""What is heard: joins without a click, loudness, peaks, and how a job fails."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from pipelines.errors import InvalidRequest, NotFinite, OutOfMemory
from pipelines.speech.audio import segments
from pipelines.speech.audio.loudness import Meter
from pipelines.speech.audio.track import Track
from pipelines.speech.subtitles import subtitles
from pipelines.speech.voice import Spoken
from tests.pipelines.speech.support.hum import RATE, humming
from tests.pipelines.speech.support.requests import asked, decoded, told


def test_joins_are_without_a_click_and_pauses_are_exact():
    speech = told(humming(), "Twenty letters are here. And as many are in here.", loudness=None)
    first, second = (np.frombuffer(piece.data, "<i2").astype(float) for piece in speech.pieces)
    assert abs(first[0]) <= 2
    assert abs(second[0]) <= 2
    assert not first[-round(0.35 * RATE) :].any(), "the pause after a sentence is 0.35 s"
    assert abs(first[-round(0.35 * RATE) - 1]) <= 2
    whole = np.diff(speech.pcm.astype(float))
    assert np.abs(whole).max() <= 0.1 * 0.9 * 32767 * 1.01, "no step is steeper than the tone itself"


def test_times_are_those_of_the_samples():
    speech = told(humming(), "One two three. Four five six.\n\nSeven.", loudness=None)
    pcm, sentences = speech.pcm, speech.artifact.info["sentences"]
    for sentence in sentences:
        start, end = (round(sentence[key] * RATE) for key in ("start", "end"))
        heard = np.flatnonzero(np.abs(pcm[start:end]) > 100)
        assert heard[0] < 0.02 * RATE
        assert end - start - heard[-1] < 0.08 * RATE
        [word] = sentence["words"]
        assert sentence["start"] <= word[1] < word[2] <= sentence["end"] + 1e-3
    silent = pcm[round(sentences[1]["end"] * RATE) : round(sentences[2]["start"] * RATE)]
    assert not silent.any()
    assert len(silent) == pytest.approx(0.75 * RATE, abs=2)


@pytest.mark.parametrize(("format", "level"), [("wav", 0.003), ("wav", 1.0), ("mp3", 0.1)])
def test_loudness_and_true_peak(format, level):
    speech = told(humming(level), "A tone of some length, to be measured well. " * 4, format=format)
    samples, rate, _ = decoded(speech.artifact.data)
    meter = Meter(rate)
    meter.add(np.rint(samples * 32767).clip(-32768, 32767).astype("<i2"))
    measured = meter.levels()
    assert measured.integrated == pytest.approx(-16.0, abs=0.6)
    assert measured.true_peak <= -1.0
    assert speech.artifact.info["loudness"] == pytest.approx(measured.integrated, abs=0.6 if format == "mp3" else 0.1)


def test_a_sound_too_short_to_be_measured_is_as_loud():
    speech = told(humming(), "Hi", speed=2.0)
    assert speech.artifact.info["duration"] < 0.5
    assert speech.artifact.info["loudness"] == pytest.approx(-16.0, abs=1.5)


def test_peaks_are_limited_and_the_loudness_is_still_met():
    """A voice with a loud click in every tone: the gain alone would clip it."""
    voice = humming(0.05)
    plain = voice.voice.speak

    def clicking(*args, **kwargs):
        spoken = plain(*args, **kwargs)
        spoken.samples[RATE // 2 + 1000 :: 4000][:1] = 0.99
        return spoken

    voice.voice.speak = clicking
    speech = told(voice, "A tone of some length, to be measured well. " * 4)
    assert speech.artifact.info["loudness"] == pytest.approx(-16.0, abs=0.6)
    assert speech.artifact.info["true_peak"] <= -1.0


def test_a_later_chunk_that_fails_says_which_and_what_was_spoken_stays():
    pipeline = humming()
    state, pieces = pipeline.prepare(asked("All is well. Then comes a crash. And more."), {}), []
    while state.steps_left and not state.error:
        pipeline.step([state])
        pieces += pipeline.pieces(state)
    assert str(state.error) == "Sentence 2 could not be spoken: “Then comes a crash.”"
    assert [piece.info["text"] for piece in pieces] == ["All is well."]
    with pytest.raises(type(state.error)):
        pipeline.finish(state)


def test_broken_sound_is_refused_and_memory_moves_nothing():
    with pytest.raises(NotFinite, match=r"Sentence 1 could not be spoken \(.*NaN\)"):
        told(humming(), "nan")
    pipeline = humming()
    state = pipeline.prepare(asked("memory"), {})
    with pytest.raises(OutOfMemory):
        pipeline.step([state])
    assert state.steps_left == state.steps_total
    assert state.error is None


def test_a_voice_that_gives_no_sound_is_noted():
    voice = humming()
    voice.voice.speak = lambda *args, **kwargs: Spoken(np.zeros(500, np.float32))
    assert told(voice, "Hello.").notes == ["Sentence 1 has no sound: “Hello.”"]


def test_what_a_voice_cannot_read_is_skipped_and_said(hibari):
    speech = told(hibari, "Hello 你好 and Привет. \x00\x07 你们好。[pause:2s] Good-bye, café.")
    assert speech.notes == ["Skipped, as Hibari cannot read it (its languages: en): 你好, Привет, 你们好."]
    assert speech.artifact.info["warnings"] == speech.notes
    assert [piece.info["text"] for piece in speech.pieces] == ["Hello and .", "Good-bye, café."]
    gap = speech.pieces[1].info["start"] - speech.pieces[0].info["end"]
    assert gap == pytest.approx(2.0, abs=1e-3), "the pause after what was skipped is kept"
    with pytest.raises(InvalidRequest, match="words that Hibari can read"):
        hibari.prepare(asked("你好，世界。"), {})


def test_word_times_of_the_bundled_voice_are_its_own(hibari):
    info = told(hibari, "Dr. Smith paid $3.50 at noon.").artifact.info["sentences"][0]
    assert not info["words_estimated"]
    assert [word for word, *_ in info["words"]] == ["Dr.", "Smith", "paid", "$3.50", "at", "noon."]
    times = [time for _, *pair in info["words"] for time in pair]
    assert times == sorted(times)
    long, short = (info["words"][i][2] - info["words"][i][1] for i in (3, 4))
    assert long > 4 * short, "three dollars and fifty cents take longer than at"


def test_more_phonemes_than_the_bundled_voice_takes_at_once(hibari):
    spoken = hibari.voice.speak("seventy-seven thousand, " * 30, "heart", 2.0, seed=1)
    assert len(spoken.samples) > 15 * 24000
    assert spoken.words == []


def test_silence_alone_is_no_sound():
    assert len(segments.tidy(Spoken(np.zeros(100, np.float32)), RATE).samples) == 0
    assert len(segments.tidy(Spoken(np.zeros(0, np.float32)), RATE).samples) == 0
    loud = segments.tidy(Spoken(np.full(4000, 3.0, np.float32)), RATE).samples
    assert np.abs(loud).max() == pytest.approx(1.0)


def test_samples_that_may_not_be_changed_are_left_alone():
    samples = np.full(4000, 3.0, np.float32)
    samples.flags.writeable = False
    assert np.abs(segments.tidy(Spoken(samples), RATE).samples).max() == pytest.approx(1.0)
    assert (samples == 3.0).all()


def test_samples_are_laid_between_their_silences():
    laid = segments.pcm(np.array([0.5, -1.0, 1.0], np.float32), 2, 1)
    assert laid.tolist() == [0, 0, 16384, -32767, 32767, 0]


def test_how_a_piece_looks():
    """Twentieths of a second, the last of them shorter."""
    piece = np.array([0, 3277, -32768, 0, 0, 0, 0, 0, -16384], "<i2")
    assert segments.of_piece(piece, 80) == [1.0, 0.0, 0.5]
    assert segments.of_piece(piece[:0], 80) == []


def test_a_track_gives_back_what_it_took(monkeypatch):
    monkeypatch.setattr("pipelines.speech.audio.track.IN_MEMORY", 1000)
    track, whole = Track(RATE), np.arange(-3000, 3000, dtype="<i2")
    for part in np.split(whole, 6):
        track.add(part.tobytes())
    assert np.array_equal(np.concatenate(list(track.blocks(size=700))), whole)
    assert np.array_equal(np.concatenate(list(track.blocks(100, 5000))), whole[100:5000])
    assert track.seconds == 6000 / RATE


@pytest.mark.parametrize("samples", [10, 1000])
def test_a_track_that_is_left_closes_its_file(samples, monkeypatch):
    """On the disk or not: a cancelled job closes nothing itself."""
    monkeypatch.setattr("pipelines.speech.audio.track.IN_MEMORY", 1000)
    track = Track(RATE)
    track.add(bytes(2 * samples))
    file = track._file
    del track
    gc.collect()
    assert file.closed


def test_subtitles_of_sentences_and_words():
    speech = told(humming(), "It is <b>bold</b> {\\an8} & --> short, and here it goes on and on for a while. Good.")
    sentences = speech.artifact.info["sentences"]
    assert len(sentences) == 3, "the first sentence is spoken in two parts"
    srt, vtt = (subtitles(sentences, form) for form in ("srt", "vtt"))
    assert srt.startswith("1\n00:00:00,0")
    assert "‹b›bold‹/b› {＼an8} & → short, and here it goes on and on for a while.\n\n2\n" in srt
    assert vtt.startswith("WEBVTT\n")
    assert "&lt;b&gt;bold&lt;/b&gt;" in vtt
    assert subtitles(sentences, "vtt", words=True).count("-->") == 3
    unheard = [{"text": "⅐.", "start": 1.0, "end": 1.0, "sentence": 0, "words": [["⅐.", 1.0, 1.0]]}]
    assert "00:00:01.000 --> 00:00:01.001" in subtitles(unheard, "vtt", words=True), "a cue ends after it begins"
    with pytest.raises(InvalidRequest, match="srt, vtt"):
        subtitles(sentences, "ass")
