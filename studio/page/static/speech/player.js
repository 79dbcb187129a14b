// A recording that can be heard: a button, its look, the time, its sentences. The same on a tile and large.

import { button, el, say, set } from "../core/dom.js";
import { note } from "../core/toast.js";
import { icon } from "../core/icons.js";
import { FileSound, LiveSound, wakeSound } from "./audio.js";
import { lines, sentencesOf } from "./sentences.js";
import { clock, t } from "../core/i18n.js";
import { wave } from "./waveform.js";

const TICK = 60; // milliseconds
let heard = null; // one at a time

export const silence = () => heard?.pause();

/** -> { node, update(known), play(), pause() }; known: { pieces, peaks, duration, part, stream, file, load } */
export function player() {
  const face = el("div.player", { "data-state": "idle" });
  const press = button("play", { onclick: () => (my.on ? my.pause() : my.play()) });
  const look = wave((part) => my.seek(part * my.length));
  const times = el("span.times", {});
  const text = lines((seconds) => (my.seek(seconds), my.on || my.play()));
  face.append(el("div.player-row", {}, press, look.node, times), text.node);

  const my = { node: face, on: false, at: 0, known: { pieces: [] }, sound: null, length: 0, play, pause, seek, update };
  let ticking = null;

  function update(known) {
    Object.assign(my.known, known);
    const { pieces, duration, part = 1 } = my.known;
    my.end = duration ?? pieces.at(-1)?.end ?? 0;
    my.length = part > 0 ? my.end / part : 0;
    look.draw(my.known.peaks ?? pieces.flatMap((piece) => piece.peaks ?? []), part);
    text.show(sentencesOf(pieces));
    show();
  }

  function show() {
    const at = my.on ? (my.at = my.sound.time) : my.at;
    look.head(my.length ? Math.min(1, at / my.length) : 0, at, my.length);
    say(times, `${clock(at)} / ${my.known.part < 1 ? "~" : ""}${clock(my.length)}`);
    text.mark(my.on || at > 0 ? at : null);
    face.dataset.state = my.on ? (my.sound.sounding ? "sounding" : "waiting") : "idle";
    set(press, { disabled: !my.end && !my.known.stream && !my.known.file });
  }

  function face_of(on) {
    const words = t(on ? "speech.pause" : "speech.play");
    set(press, { "aria-label": words, title: words });
    press.replaceChildren(icon(on ? "pause" : "resume", 20));
  }

  function play() {
    if (heard && heard !== my) heard.pause();
    heard = my;
    if (my.end && my.at >= my.end - 0.05 && !(my.known.part < 1)) my.at = 0;
    my.known.load?.();
    begin();
  }

  function begin() {
    my.sound?.stop();
    const { file, stream } = my.known;
    if (file && !(my.sound instanceof FileSound)) {
      my.sound = new FileSound(file, { onend, onfail });
      face.append(my.sound.node);
    } else if (!file) {
      wakeSound();
      my.sound = new LiveSound(stream, { onend, onfail });
    }
    my.sound.play(my.at);
    my.on = true;
    face_of(true);
    ticking ??= setInterval(tick, TICK);
    show();
  }

  function tick() {
    if (!face.isConnected && my.placed) return pause(); // taken off the stage, or its dialog was closed
    my.placed ||= face.isConnected;
    show();
  }

  function pause() {
    if (!my.on) return;
    my.at = my.sound.time;
    halt();
  }

  function halt() {
    my.on = false;
    my.sound.stop();
    clearInterval(ticking);
    ticking = null;
    face_of(false);
    show();
  }

  function seek(seconds) {
    my.at = Math.min(Math.max(0, seconds), my.end || 0);
    if (my.on) begin();
    else show();
  }

  function onend() {
    my.at = 0;
    halt();
  }

  /** What was a stream is a file by now; anything else is told. */
  function onfail() {
    const there = my.known.file && my.sound instanceof LiveSound;
    if (there) return begin();
    halt();
    if (my.end) note(t("speech.unheard")); // of a job that failed before its first sound, its tile says why
  }

  face_of(false);
  return my;
}
