// The look of a sound: bars, played ones in another colour. A click goes there, arrows walk.

import { el, set } from "../core/dom.js";
import { shape } from "../core/icons.js";
import { clock, t } from "../core/i18n.js";

const STEP = 4; // pixels from bar to bar
const HIGH = 100; // units of the drawing
let number = 0;

/** -> { node, draw(peaks, part), head(part, seconds, whole) }; onseek(part of the whole) */
export function wave(onseek) {
  const id = `played-${(number += 1)}`;
  const clip = shape("rect", { x: 0, y: 0, width: 0, height: HIGH });
  const mask = shape("clipPath", { id });
  mask.append(clip);
  const bars = shape("path", { class: "bars" });
  const played = shape("path", { class: "played", "clip-path": `url(#${id})` });
  const svg = shape("svg", { preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(mask, bars, played);
  const node = el("div.wave", { role: "slider", tabIndex: 0, "aria-label": t("speech.position"), "aria-valuemin": 0 }, svg);
  const now = { peaks: [], part: 1, at: 0, whole: 0 };

  const paint = () => {
    const count = Math.max(16, Math.floor(node.clientWidth / STEP));
    const path = outline(now.peaks, count, now.part);
    set(svg, { viewBox: `0 0 ${count} ${HIGH}` });
    set(bars, { d: path });
    set(played, { d: path });
    clip.setAttribute("width", now.at * count);
  };
  new ResizeObserver(paint).observe(node);
  node.onpointerdown = (event) => {
    const box = node.getBoundingClientRect();
    onseek(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  };
  node.onkeydown = (event) => {
    const way = { ArrowLeft: -5, ArrowRight: 5, Home: -Infinity, End: Infinity }[event.key];
    if (!way || !now.whole) return;
    event.preventDefault();
    event.stopPropagation();
    onseek(Math.min(1, Math.max(0, now.at + way / now.whole)));
  };
  return {
    node,
    /** peaks: 0…1 in equal parts of what is there; part: how much of the whole that is */
    draw(peaks, part = 1) {
      Object.assign(now, { peaks, part });
      paint();
    },
    head(at, seconds, whole) {
      Object.assign(now, { at, whole });
      clip.setAttribute("width", at * (svg.viewBox.baseVal?.width || 0));
      set(node, { "aria-valuemax": Math.round(whole), "aria-valuenow": Math.round(seconds), "aria-valuetext": clock(seconds) });
    },
  };
}

/** A line a bar; what is not there yet is a dot. */
export function outline(peaks, count, part = 1) {
  const filled = Math.round(count * part);
  const most = Math.max(0.25, ...peaks);
  let path = "";
  for (let i = 0; i < count; i++) {
    const half = i < filled && peaks.length ? Math.max(2, (loudest(peaks, i / filled, (i + 1) / filled) / most) * (HIGH / 2 - 4)) : 1;
    path += `M${i + 0.5} ${HIGH / 2 - half}V${HIGH / 2 + half}`;
  }
  return path;
}

function loudest(peaks, from, to) {
  const begin = Math.min(peaks.length - 1, Math.floor(from * peaks.length));
  const end = Math.max(begin + 1, Math.floor(to * peaks.length));
  let most = 0;
  for (let i = begin; i < end; i++) most = Math.max(most, peaks[i] ?? 0);
  return most;
}

/** The same as a still picture, for a card. */
export function still(peaks, count = 48) {
  const svg = shape("svg", { viewBox: `0 0 ${count} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true", class: "wave" });
  svg.append(shape("path", { class: "bars", d: outline(peaks, count) }));
  return svg;
}
