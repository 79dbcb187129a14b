// How far a job is, in words.

import { machine } from "./live.js";
import { duration, notes, t, wordOf } from "../core/i18n.js";
import { shape } from "../core/icons.js";
import { set } from "../core/dom.js";

/** "step 12/20 · 0.6 s left", or what comes before and after the steps. */
export function progress(job) {
  if (job.status === "paused") return t("job.paused");
  if (job.note?.startsWith("downloading ")) return notes(job.note);
  if (job.status === "waiting") return waiting(job);
  if (!job.step) return notes(job.note) || t("job.preparing");
  if (job.step >= job.steps) return t("job.finishing");
  const step = wordOf("job.step", job.kind, { step: job.step, steps: job.steps });
  return job.seconds_left == null ? step : `${step} · ${left(job)}`;
}

const left = (job) => t("left", { time: duration(job.seconds_left) });

function waiting(job) {
  if (machine.status?.trouble) return t("job.trouble");
  if (machine.status?.worker === "starting" || machine.status?.worker === "restarting") return t(`job.${machine.status.worker}`);
  const place = job.place ? t("job.waiting", { n: job.place }) : t("job.waiting.next");
  return job.seconds_left == null ? place : `${place} · ${left(job)}`;
}

const RADIUS = 9;

const LENGTH = 2 * Math.PI * RADIUS;

export function ring() {
  const svg = shape("svg", { viewBox: "0 0 24 24", width: 24, height: 24, class: "ring", role: "progressbar", "aria-label": t("job.progress"), "aria-valuemin": 0, "aria-valuemax": 100 });
  const circle = (kind) => shape("circle", { cx: 12, cy: 12, r: RADIUS, class: kind });
  const arc = circle("arc");
  arc.setAttribute("stroke-dasharray", LENGTH);
  svg.append(circle("track"), arc);
  return {
    node: svg,
    /** fraction 0…1; `busy` when something goes on whose end is not known */
    update(fraction, busy = false) {
      arc.setAttribute("stroke-dashoffset", LENGTH * (1 - (busy ? 0.2 : fraction)));
      svg.classList.toggle("busy", busy);
      set(svg, { "aria-valuenow": busy ? null : Math.round(fraction * 100) });
    },
  };
}
