// One job on the stage, from the click to the end. What is in its frame is its kind's: see kinds.js.

import { act, sentence } from "../core/api.js";
import { note } from "../core/toast.js";
import { cancel } from "./cancel.js";
import { button, el, say, set } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { itemOf, title, toolsOf, viewOf } from "./kinds.js";
import { pieces } from "./live.js";
import { notes, t, wordOf } from "../core/i18n.js";
import { progress, ring } from "./progress.js";

/** -> { node, update(job) }; `on` has open(job, begin) and dismiss(job) */
export function tile(job, on) {
  const frame = el("div.frame", {});
  const caption = el("p.caption", {});
  const under = el("div.under", {});
  const node = el("article.tile", { "data-id": job.id, "data-kind": job.kind }, frame, caption, under);
  const view = { status: null, parts: {} };
  const update = (next) => {
    if (view.status !== next.status) {
      view.status = next.status;
      under.replaceChildren();
      view.parts = BODIES[next.status](frame, next, on, under);
    }
    node.dataset.status = next.status;
    frame.style.aspectRatio = viewOf(next).ratio(next.request);
    set(node, { "aria-label": t("job.of", { status: t(`status.${next.status}`), prompt: title(next) }) });
    say(caption, title(next));
    set(caption, { title: title(next) });
    view.parts.update?.(next);
    if (next.status === "running") viewOf(next).along?.(next, under);
  };
  update(job);
  return { node, update };
}

const BODIES = { waiting: live, running: live, paused: live, done, failed, cancelled };

function live(frame, job) {
  const seen = viewOf(job).live?.(job);
  const circle = ring();
  const text = el("span.progress-text", {});
  const stop = button("tool.corner", { title: wordOf("job.cancel", job.kind), "aria-label": wordOf("job.cancel", job.kind), onclick: () => cancel(job.id) }, icon("close", 16));
  frame.replaceChildren(...[seen?.node, el("div.progress", {}, circle.node, text), stop].filter(Boolean));
  return {
    update(next) {
      seen?.update(next, pieces(next.id));
      circle.update(next.steps ? next.step / next.steps : 0, next.status === "running" && !next.step);
      say(text, progress(next));
    },
  };
}

function done(frame, job, on, under) {
  const item = itemOf(job);
  const { under: below } = viewOf(job);
  const tools = toolsOf(item, () => on.open(job, true));
  const words = el("p.note-line", {}, notes(job.note));
  const last = frame.querySelector(".preview:not([hidden])"); // stays until the picture itself is there
  const body = viewOf(job).done(item, () => on.open(job, false));
  frame.replaceChildren(...[last, ...body, el("div.tools", {}, tools), dismiss(job, on), below ? null : words].filter(Boolean));
  if (below) under.append(...[words, below(item)].filter(Boolean)); // nothing may lie over the picture for good
  if (last) frame.querySelector(".open img")?.addEventListener("load", () => last.remove());
  return {};
}

function failed(frame, job, on) {
  const again = button("quiet", { onclick: () => act(job.id, "retry").then(() => on.dismiss(job)).catch((error) => note(error.message)) }, icon("retry", 16), t("job.retry"));
  const left = viewOf(job).failed?.(job, pieces(job.id)) ?? [];
  frame.replaceChildren(el("div.said", {}, el("p", {}, sentence(job.error_code, job.error)), ...left, again), dismiss(job, on));
  return {};
}

function cancelled(frame, job, on) {
  frame.replaceChildren(el("div.said", {}, el("p", {}, t("job.cancelled")), ...(viewOf(job).failed?.(job, pieces(job.id)) ?? [])), dismiss(job, on));
  return {};
}

const dismiss = (job, on) => button("tool.corner", { title: t("job.dismiss"), "aria-label": t("job.dismiss"), onclick: () => on.dismiss(job) }, icon("close", 16));
