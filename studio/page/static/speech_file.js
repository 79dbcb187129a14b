// A finished recording: the browser's own player without its looks. The same face as LiveSound.

import { el } from "./core/dom.js";

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
