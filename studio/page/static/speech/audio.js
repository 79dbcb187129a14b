// Sound while it is made. An <audio> element wants seconds of a stream before it begins; here the samples are laid end to
// end by the audio clock as they come, so the first sentence is heard when its bytes are there.

import { el } from "../core/dom.js";

const HEADER = 44; // bytes of the WAV's head
const AHEAD = 30; // seconds that are taken from the server before they are heard
const LEAD = 0.04; // seconds between "here it is" and its sound, so that no sample is late

const contexts = new Map(); // sample rate -> AudioContext: at the sound's own rate, pieces join without a seam

/** To be called in a click: browsers give sound only to people. */
export function wakeSound(rate = 24000) {
  if (!contexts.has(rate)) contexts.set(rate, new AudioContext({ sampleRate: rate }));
  const context = contexts.get(rate);
  if (context.state === "suspended") context.resume();
  return context;
}

/** A stream being heard: `time` in seconds of the whole. onend() when all was heard, onfail(error) when none came. */
export class LiveSound {
  constructor(url, { onend, onfail }) {
    Object.assign(this, { url, onend, onfail, spans: [], from: 0 });
  }

  play(from) {
    this.stop();
    this.from = from;
    this.going = new AbortController();
    this.run(from, this.going.signal).catch((error) => this.going && !this.going.signal.aborted && (this.stop(), this.onfail(error)));
  }

  /** Silent at once; `time` stays where it was. */
  stop() {
    this.from = this.time;
    this.going?.abort();
    this.gain?.disconnect();
    clearTimeout(this.ending);
    this.going = this.gain = null;
    this.spans = [];
  }

  /** Whether something is heard now (not while the next sentence is awaited). */
  get sounding() {
    return Boolean(this.gain && this.spans.some((span) => span.at <= this.context.currentTime && this.context.currentTime < span.at + span.length));
  }

  get time() {
    const now = this.context ? this.context.currentTime - (this.context.outputLatency || 0) : 0;
    const span = this.spans.findLast((span) => span.at <= now);
    return span ? span.from + Math.min(now - span.at, span.length) : this.from;
  }

  async run(from, signal) {
    const answer = await fetch(from ? `${this.url}?start=${from.toFixed(3)}` : this.url, { signal, credentials: "same-origin" });
    if (!answer.ok || !answer.headers.get("content-type")?.startsWith("audio/wav")) throw new Error(String(answer.status));
    const reader = answer.body.getReader();
    let held = new Uint8Array(0);
    let head = true;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      held = joined(held, value);
      if (head && held.length >= HEADER) {
        this.open(new DataView(held.buffer, held.byteOffset).getUint32(24, true));
        held = held.slice(HEADER);
        head = false;
      }
      if (!head && held.length > 1) {
        const even = held.length & ~1;
        this.lay(held.slice(0, even));
        held = held.slice(even);
        await this.room(signal);
      }
    }
    this.ending = setTimeout(() => (this.stop(), this.onend()), 1000 * Math.max(0, this.until - this.context.currentTime) + 60);
  }

  open(rate) {
    this.context = wakeSound(rate);
    this.gain = this.context.createGain();
    this.gain.connect(this.context.destination);
    this.rate = rate;
    this.until = 0;
  }

  /** bytes: 16 bit samples that follow those before; after a gap the clock goes on where it is. */
  lay(bytes) {
    const samples = Float32Array.from(new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2), (value) => value / 32768);
    const buffer = this.context.createBuffer(1, samples.length, this.rate);
    buffer.copyToChannel(samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.gain);
    const last = this.spans.at(-1);
    const from = last ? last.from + last.length : this.from;
    if (!last || this.context.currentTime > this.until) this.begin(from);
    const span = this.spans.at(-1);
    const at = span.at + span.length;
    source.start(at);
    span.length = Math.round((span.length + buffer.duration) * this.rate) / this.rate;
    this.until = span.at + span.length;
  }

  begin(from) {
    const at = Math.ceil((this.context.currentTime + LEAD) * this.rate) / this.rate;
    this.spans.push({ at, from, length: 0 });
  }

  async room(signal) {
    while (!signal.aborted && this.until - this.context.currentTime > AHEAD) await new Promise((done) => setTimeout(done, 500));
    signal.throwIfAborted();
  }
}

function joined(one, other) {
  if (!one.length) return other;
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

export class FileSound {
  constructor(url, { onend, onfail }) {
    this.node = el("audio", { src: url, preload: "none" });
    this.node.onended = onend;
    this.node.onerror = () => onfail(new Error(this.node.error?.message));
    this.wanted = null;
  }

  play(from) {
    const audio = this.node;
    if (audio.readyState) audio.currentTime = from;
    else if (from) audio.addEventListener("loadedmetadata", () => (audio.currentTime = from), { once: true });
    this.from = from;
    audio.play().catch((error) => error.name !== "AbortError" && audio.onerror());
  }

  stop() {
    this.from = this.time;
    this.node.pause();
  }

  get sounding() {
    return !this.node.paused && this.node.readyState > 2;
  }

  get time() {
    return this.node.readyState && !this.node.seeking ? this.node.currentTime : (this.from ?? 0);
  }
}
