"""A text is heard while it is made, stopped, kept and played again, in a browser."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable

import av
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.support.chapter import chapter
from tests.e2e.support.holding import nothing_ends
from tests.e2e.support.visitor import SLOW, Visitor
from tests.support.serving import Served

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
Visit = Callable[..., Visitor]

# Notes when sound is handed to the audio clock, and how loud it is
EAR = """
window.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (at) {
  const loudest = this.buffer.getChannelData(0).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  heard.push({ at, length: this.buffer.duration, loudest });
  return start.apply(this, arguments);
};
"""
# A sample does not end by itself
ENDLESS = """() => {
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    this.loop = true;
    return play.apply(this);
  };
}"""
SHORT = "Listen to this. It is a short text with two sentences."


def come(visit: Visit, **how: object) -> Visitor:
    me = visit(**how)
    me.page.add_init_script(EAR)
    me.open("speech")
    expect(me.page.locator("html[data-form-speech=ready]")).to_be_attached(timeout=SLOW)
    return me


def speak(me: Visitor, text: str) -> Locator:
    me.page.locator("#text textarea").fill(text)
    me.page.locator("#speak").click()
    return me.page.locator(".tile[data-kind=speech]").first


def silent_or_not(page: Page) -> list[dict]:
    page.wait_for_function("heard.length > 0", timeout=SLOW)
    return page.evaluate("heard")


def paragraphs(count: int) -> str:
    """A text of our own, as long as a chapter, with sentences of different lengths."""
    scenes = (
        "The ferry left the pier at a quarter past seven, when the lamps on the water were still burning.",
        "Anna stood at the rail and counted the windows of the town.",
        "There were fewer every year.",
        "Behind her a boy asked his grandfather why the gulls never slept, and the old man, who had mended nets for "
        "fifty-two winters, said that somebody had to remember the way home.",
        "Nobody laughed.",
        "At the third buoy the engine stopped, and for a moment there was nothing but the wind!",
        "Was this the place?",
        "She took the small tin box out of her coat, opened it, and let the letters go, one by one.",
    )
    return "\n\n".join(" ".join(scenes[(i + n) % len(scenes)] for n in range(len(scenes))) for i in range(count))


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_text_is_heard_before_it_is_done_and_played_again_from_the_gallery(
    visit: Visit, studio: Served, phone: bool
) -> None:
    me = come(visit, phone=phone)
    with nothing_ends(studio):
        tile = speak(me, paragraphs(2))
        sounds = silent_or_not(me.page)
        assert tile.get_attribute("data-status") == "running"  # sound before the end
        assert sounds[0]["loudest"] > 0.01
        expect(tile.locator(".player")).to_have_attribute("data-state", re.compile("sounding|waiting"))
        # the same stream in an ordinary audio element: it has data before the job is done
        job = tile.get_attribute("data-id")
        me.page.evaluate("(id) => { window.probe = new Audio(`/api/jobs/${id}/audio`); probe.load(); }", job)
        # asked again and again: the last of its progress events may come before it knows what it has
        me.page.wait_for_function("probe.buffered.length && probe.buffered.end(0) > 0", timeout=SLOW)
        expect(tile.locator(".line").nth(2)).to_be_visible(timeout=SLOW)
    me.status(tile, "done")
    gaps = me.page.evaluate("heard.slice(1).map((one, i) => one.at - heard[i].at - heard[i].length)")
    assert sum(abs(gap) > 1e-4 for gap in gaps) <= sum(gap > 0.03 for gap in gaps)  # joined, or late; never overlapping

    me.tab("gallery")
    me.page.locator(".thumb[data-kind=speech]").first.click()
    player = me.page.locator("dialog .player")
    player.get_by_role("button", name="Play").click()
    audio = player.locator("audio")
    me.page.wait_for_function("(audio) => audio.currentTime > 0.3", arg=audio.element_handle(), timeout=SLOW)
    expect(player.locator("li[aria-current] .line")).to_be_visible()
    player.locator(".line").nth(3).click()
    start = player.locator(".line time").nth(3).inner_text()
    minutes, seconds = map(int, start.split(":"))
    me.page.wait_for_function(
        "([audio, from]) => audio.currentTime >= from && audio.currentTime < from + 8",
        arg=[audio.element_handle(), 60 * minutes + seconds], timeout=SLOW,
    )  # fmt: skip
    me.page.keyboard.press("Escape")
    expect(me.page.locator("dialog")).to_have_count(0)


def test_cancel_keeps_what_was_spoken(visit: Visit, studio: Served) -> None:
    me = come(visit)
    with nothing_ends(studio):
        tile = speak(me, paragraphs(12))
        expect(tile.locator(".line").first).to_be_visible(timeout=SLOW)
        tile.get_by_role("button", name="Stop speaking this").click()
        me.status(tile, "cancelled")
    expect(tile).to_contain_text("was spoken and can be heard")
    job = tile.get_attribute("data-id")
    kept = me.page.request.get(f"/api/jobs/{job}/audio").body()
    assert kept[:4] == b"RIFF"
    assert len(kept) > 48_000
    me.page.evaluate("heard.length = 0")
    button = tile.locator(".play")
    if button.get_attribute("aria-label") == "Pause":
        button.click()
    button.click()
    assert silent_or_not(me.page)[0]["loudest"] > 0.01

    me.reload()
    tile = me.page.locator(".tile[data-kind=speech]").first
    expect(tile).to_contain_text("was spoken and can be heard")
    expect(tile.locator(".line").first).to_be_visible()


@pytest.mark.timeout(1200)
def test_a_chapter_end_to_end_with_subtitles_that_fit(visit: Visit) -> None:
    me = come(visit)
    text, sentences = chapter(12_000)
    tile = speak(me, text)
    expect(tile).to_have_attribute("data-status", "done", timeout=6 * SLOW)  # half a minute of work
    artifact = me.page.request.get("/api/gallery?kind=speech").json()["items"][0]
    whole = me.page.request.get(f"/api/gallery/{artifact['id']}").json()
    assert whole["words"] == text
    samples, rate = decoded(me.page.request.get(artifact["url"]).body())
    cues = times(me.page.request.get(f"/api/gallery/{artifact['id']}/subtitles.vtt").text())
    assert len(cues) == sentences
    assert abs(len(samples) / rate - whole["info"]["duration"]) < 0.05
    window = rate // 200  # 5 ms
    power = np.sqrt(np.add.reduceat(samples**2, np.arange(0, len(samples), window)) / window)
    loud = np.flatnonzero(power > 0.004 * power.max()) * window / rate
    for start, end in cues:  # the first and the last sound of a cue; each ends with 30 ms of its own dying away
        sounds = loud[(loud > start - 0.1) & (loud < end + 0.1)]
        assert abs(sounds[0] - start) <= 0.05, (start, sounds[0])
        assert -0.05 <= sounds[-1] - end <= 0.05, (end, sounds[-1])
    for (_, end), (start, _) in itertools.pairwise(cues):  # and between two of them there is silence
        assert not loud[(loud > end + 0.02) & (loud < start - 0.02)].size, (end, start)


def decoded(data: bytes) -> tuple[np.ndarray, int]:
    with av.open(io.BytesIO(data)) as file:
        stream = file.streams.audio[0]
        fit = av.AudioResampler("flt", "mono", stream.rate)
        frames = [part for frame in file.decode(stream) for part in fit.resample(frame)]
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]), stream.rate


def times(vtt: str) -> list[tuple[float, float]]:
    def seconds(text: str) -> float:
        return sum(float(part) * 60**i for i, part in enumerate(reversed(text.split(":"))))

    pairs = re.findall(r"([\d:.]+) --> ([\d:.]+)", vtt)
    return [(seconds(start), seconds(end)) for start, end in pairs]


def test_what_is_wrong_is_said_at_its_place(visit: Visit) -> None:
    me = come(visit)
    error = me.page.locator("#error-speech-text p")
    me.page.locator("#speak").click()
    expect(error).to_have_text("Type or paste what should be spoken.")
    speak(me, "😀 … !!!")
    expect(error).to_contain_text("at least one letter or digit")
    me.page.locator("#text textarea").fill("x" * 100_001)
    expect(me.page.locator(".count[data-over]")).to_have_text(
        "100,001 characters: at most 100,000 can be spoken at once."
    )
    me.page.locator("#speak").click()
    expect(error).to_contain_text("at most 100,000 characters")
    expect(me.page.locator(".tile")).to_have_count(0)
    tile = speak(me, SHORT)
    expect(error).to_have_count(0)
    me.status(tile, "done")


def test_a_file_fills_the_text_and_a_voice_introduces_itself(visit: Visit) -> None:
    me = come(visit)
    file = me.page.locator(".text-below input[type=file]")
    file.set_input_files({"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"})
    expect(me.page.locator(".text-below .problem")).to_contain_text("a PDF")
    file.set_input_files({"name": "a.md", "mimeType": "text/markdown", "buffer": b"# Hello\n\nIt *works*."})
    expect(me.page.locator("#text textarea")).to_have_value("# Hello\n\nIt *works*.")
    expect(me.page.locator(".count").first).to_contain_text("20 characters")
    me.page.evaluate(ENDLESS)
    with me.page.expect_response(re.compile("/api/voices/sample")) as answer:
        me.page.locator("#voice-listen").click()
    assert answer.value.status == 200
    expect(me.page.locator("#voice-listen")).to_have_attribute("aria-label", "Stop the sample", timeout=SLOW)
    expect(me.page.locator(".tile")).to_have_count(0)


def test_speak_it_beside_a_picture(visit: Visit) -> None:
    me = visit().open()
    expect(me.page.locator("html[data-form-speech=ready]")).to_be_attached(timeout=SLOW)
    me.unfold("Sampler")
    me.set_number("steps", 2)
    tile = me.ask("a small boat on a quiet lake")
    me.status(tile, "done")
    tile.hover()
    tile.get_by_role("button", name="Speak it").click()
    spoken = me.page.locator("#panel-speech .tile").first
    me.status(spoken, "done")
    expect(spoken).to_contain_text("a small boat on a quiet lake")
