"""Kokoro through its own package, from a tiny model in the format of the real exports."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from pipelines.errors import InvalidRequest
from tests.pipelines.speech.support.requests import asked, told

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 14), reason="kokoro-onnx has no release for this Python")

if sys.version_info < (3, 14):
    from onnx import TensorProto

    from pipelines.speech.voices import phonemes
    from tests.pipelines.speech.support import tiny_kokoro as tiny

RATE = 24000
HELLO = "həlˈoʊ"  # as espeak reads it


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """As the exports of version 1.0 are."""
    return tiny.opened(tiny.kokoro(tmp_path_factory.mktemp("kokoro")))


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    """As newer exports are, which tell the durations."""
    return tiny.opened(tiny.kokoro(tmp_path_factory.mktemp("kokoro"), tokens="input_ids", timed=True))


def said(pipeline, text: str, voice: str = "af_sky", speed: float = 1.0) -> np.ndarray:
    return pipeline.voice.speak(text, voice, speed).samples


def pitch(samples: np.ndarray) -> float:
    """Hz of the loudest tone."""
    return float(np.abs(np.fft.rfft(samples, 10 * RATE)).argmax() / 10)


@pytest.mark.parametrize("export", ["plain", "timed"])
def test_it_speaks(request, export):
    pipeline = request.getfixturevalue(export)
    speech = told(pipeline, "Hello, my friend. How are you?")
    assert [piece.info["text"] for piece in speech.pieces] == ["Hello, my friend.", "How are you?"]
    assert speech.artifact.info["sample_rate"] == RATE
    assert speech.artifact.info["loudness"] == pytest.approx(-16, abs=0.6)
    assert speech.artifact.info["voice"] == "af_sky", "the first of its voices"
    assert speech.pieces[0].info["words_estimated"] == (export == "plain")
    assert pipeline.nbytes > len(tiny.VOICES) * 510 * 256 * 4


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.25, 2.0])
@pytest.mark.parametrize("export", ["plain", "timed"])
def test_the_phonemes_and_the_speed_reach_the_model(request, export, speed):
    pipeline = request.getfixturevalue(export)
    assert len(said(pipeline, "Hello", speed=speed)) == tiny.FRAME * sum(tiny.frames(HELLO, speed))
    read = f"{HELLO}, {HELLO}!"  # and no silence but the model's own
    assert len(said(pipeline, "Hello, hello!", speed=speed)) == tiny.FRAME * sum(tiny.frames(read, speed))


def test_a_model_that_knows_whole_speeds_only_is_stretched(tmp_path):
    pipeline = tiny.opened(tiny.kokoro(tmp_path, speed=TensorProto.INT32, timed=True))
    text, lengths = "Hello and good-bye, my dear old friend.", {}
    for speed in (0.8, 1.0, 1.6):
        spoken = pipeline.voice.speak(text, "af_sky", speed)
        lengths[speed] = len(spoken.samples)
        assert spoken.words[-1].end == pytest.approx(0.98 * lengths[speed] / RATE, rel=0.03)
    assert lengths[0.8] == pytest.approx(lengths[1.0] / 0.8, rel=0.03)
    assert lengths[1.6] == pytest.approx(lengths[1.0] / 1.6, rel=0.03)


def test_the_voice_and_a_blend_reach_the_model(plain):
    heard = {voice: said(plain, "Hello", voice) for voice in ("af_sky", "am_adam", "bf_emma", "af_sky(3)+am_adam(1)")}
    tones = {voice: pitch(samples) for voice, samples in heard.items()}
    expected = {"af_sky": 200, "am_adam": 100, "bf_emma": 300, "af_sky(3)+am_adam(1)": 175}
    assert tones == pytest.approx(expected, abs=2)
    assert np.abs(heard["af_sky"]).max() == pytest.approx(0.4, abs=0.01)
    assert np.abs(heard["bf_emma"]).max() == pytest.approx(0.2, abs=0.01)
    lines = told(plain, "Hello.\n[voice:am_adam] Hello.", loudness=None)
    assert [piece.info["voice"] for piece in lines.pieces] == ["af_sky", "am_adam"]
    assert pitch(np.frombuffer(lines.pieces[1].data, "<i2")) == pytest.approx(100, abs=2)


def test_espeak_is_told_the_voices_language(plain):
    american, british = "skˈɛdʒuːl", "ʃˈɛdjuːl"
    for voice, read in (("af_sky", american), ("bf_emma", british), ("bf_emma+af_sky", british)):
        assert len(said(plain, "schedule", voice)) == tiny.FRAME * sum(tiny.frames(read)), voice
    assert len(said(plain, "きのう", "jf_alpha")) == tiny.FRAME * sum(tiny.frames("kinˈoɯᵝ"))
    assert plain.entry.languages == ("en-US", "en-US", "en-GB", "fr", "ja")


def test_the_names_of_languages_are_not_read_out(plain, caplog):
    """espeak marks a foreign word: lə (en)wiːkˈɛnd(fr)."""
    assert len(said(plain, "Le weekend", "ff_siwis")) == tiny.FRAME * sum(tiny.frames("lə wiːkˈɛnd"))
    said(plain, "The end of the day.")
    assert not caplog.records, "words that espeak joins are nothing to be warned of either"


def test_kanji_which_espeak_cannot_read_is_skipped_and_said(plain):
    speech = told(plain, "きのう。東京。あした。", voice="jf_alpha")
    assert speech.notes == ["Skipped, as kokoro cannot read it (its languages: ja without kanji): 東京."]
    assert [piece.info["text"] for piece in speech.pieces] == ["きのう。", "あした。"]
    with pytest.raises(InvalidRequest, match=r"words that kokoro can read \(ja without kanji\)"):
        told(plain, "東京", voice="jf_alpha")


@pytest.mark.parametrize("export", ["plain", "timed"])
def test_a_sentence_without_phonemes_is_noted_and_the_others_are_heard(request, export):
    pipeline = request.getfixturevalue(export)
    assert not len(said(pipeline, "⅐."))
    assert not len(said(pipeline, "⅐"))
    speech = told(pipeline, "One. ⅐. Two.")
    assert speech.notes == ["Sentence 2 has no sound: “⅐.”"]
    heard = [piece.info["text"] for piece in speech.pieces if np.frombuffer(piece.data, "<i2").any()]
    assert heard == ["One.", "Two."]


def test_word_times_are_those_of_the_sound(timed):
    """The tiny model is silent between words, so that the sound itself says when each begins and ends."""
    speech = told(timed, "My uncle paid $3.50, by the way; ⅐ well-known people saw him.", speed=0.8, loudness=None)
    loud = np.abs(speech.pcm) > 0.05 * np.abs(speech.pcm).max()
    info = speech.artifact.info["sentences"][0]
    assert not info["words_estimated"]
    words = {word: (round(start * RATE), round(end * RATE)) for word, start, end in info["words"]}
    assert list(words) == ["My", "uncle", "paid", "$3.50,", "by", "the", "way;", "⅐", "well-known", "people", "saw",
                           "him."]  # fmt: skip
    near = RATE // 200  # 5 ms: the tone begins at nothing
    assert words["⅐"][0] == words["⅐"][1], "what is not read takes no time"
    for word in ("uncle", "paid", "$3.50,", "well-known", "people", "saw", "him."):
        start, end = words[word]
        assert not loud[start - 40 * near // 10 : start - 2].any(), f"{word} begins with its sound"
        assert loud[start : start + near].any(), f"{word} begins with its sound"
        assert loud[end - near : end].any(), f"{word} ends with its sound"
        assert not loud[end + 2 : end + near].any(), f"{word} ends with its sound"


def test_words_that_espeak_joins_have_their_own_phonemes(timed):
    spoken = timed.voice.speak("end of the day", "af_sky", 1.0)
    whole = "ˈɛnd ʌvðə dˈeɪ"
    at = np.cumsum([0, *tiny.frames(whole)]) * tiny.FRAME / RATE  # [i + 1]: where phoneme i begins
    expected = [(at[1 + a], at[1 + b]) for a, b in ((0, 4), (5, 7), (7, 9), (10, 14))]
    assert [word.text for word in spoken.words] == ["end", "of", "the", "day"]
    assert [(word.start, word.end) for word in spoken.words] == [pytest.approx(pair, abs=1e-4) for pair in expected]


def test_more_phonemes_than_the_model_takes_at_once(timed):
    spoken = timed.voice.speak("seventy-seven thousand, " * 40, "af_sky", 2.0)
    assert len(spoken.words) == 80
    assert all(word.start < word.end for word in spoken.words)
    assert spoken.words[-1].end <= len(spoken.samples) / RATE


@pytest.mark.parametrize(
    ("alone", "whole", "heard"),
    [
        (["ˈʌv", "ðə", "dˈeɪ"], "ʌvðə dˈeɪ", ["ʌv", "ðə", "dˈeɪ"]),
        (["dˈɑːlɚ θɹˈiː", "ænd"], "dˈɑːlɚ θɹˈiː, ænd.", ["dˈɑːlɚ θɹˈiː", "ænd"]),
        (["wˈʌn", "", "tˈuː"], "wˈʌn — tˈuː!", ["wˈʌn", "", "tˈuː"]),
        (["", "ðə", "ðə"], "ðɪ ðə", ["", "ðɪ", "ðə"]),
        (["ˈɛnd", "ʌv", "ðə", "ˈɛnd"], "ˈɛnd ʌvðɪ ˈɛnd", ["ˈɛnd", "ʌv", "ðɪ", "ˈɛnd"]),
        (["ɐ", "bˈiː"], "", ["", ""]),
        ([], "ɐ", []),
    ],
)
def test_where_words_lie_in_the_phonemes(alone, whole, heard):
    assert [whole[start:end] for start, end in phonemes.spans(alone, whole)] == heard


def test_an_unknown_voice_is_refused_with_those_that_are_there(plain):
    with pytest.raises(InvalidRequest, match=r"'af_nobody'.*af_sky, am_adam, bf_emma, ff_siwis, jf_alpha"):
        plain.check(asked("Hello", voice="af_sky+af_nobody"))


def test_it_computes_on_as_many_threads_as_it_was_given(tmp_path):
    session = tiny.opened(tiny.kokoro(tmp_path)).voice._model.sess
    assert session.get_session_options().intra_op_num_threads == torch.get_num_threads()
