// One job on the stage, from the click to the end.

import { act, sentence } from "./api.js";
import { note } from "./announce.js";
import { fromJob, pictureTools, title, tool } from "./actions.js";
import { cancel } from "./cancel.js";
import { button, el, say, set } from "./dom.js";
import { icon } from "./icons.js";
import { ring } from "./ring.js";
import { duration, t } from "./words.js";

/** -> { node, update(job) }; `on` has open(job), filmstrip(job) and dismiss(job) */
export function tile(job, on) {
  const frame = el("div.frame", {});
  const caption = el("p.caption", {});
  const node = el("article.tile", { "data-id": job.id }, frame, caption);
  const view = { status: null, parts: {} };
  const update = (next) => {
    if (view.status !== next.status) {
      view.status = next.status;
      view.parts = BODIES[next.status](frame, next, on);
    }
    node.dataset.status = next.status;
    frame.style.aspectRatio = `${next.request.width} / ${next.request.height}`;
    set(node, { "aria-label": t("job.of", { status: t(`status.${next.status}`), prompt: title(next) }) });
    say(caption, title(next));
    set(caption, { title: title(next) });
    view.parts.update?.(next);
  };
  update(job);
  return { node, update };
}

const BODIES = { waiting: live, running: live, paused: live, done, failed, cancelled };

function live(frame, job) {
  const picture = el("img.preview", { alt: "", hidden: true });
  const circle = ring();
  const text = el("span.progress-text", {});
  const stop = button("tool.corner", { title: t("job.cancel"), "aria-label": t("job.cancel"), onclick: () => cancel(job.id) }, icon("close", 16));
  frame.replaceChildren(picture, el("div.progress", {}, circle.node, text), stop);
  return {
    update(next) {
      if (next.preview && picture.src !== next.preview) set(picture, { src: next.preview, hidden: false, alt: title(next) });
      circle.update(next.steps ? next.step / next.steps : 0, next.status === "running" && !next.step);
      say(text, progress(next));
    },
  };
}

/** "step 12/20 · 0.6 s left", or what comes before and after the steps. */
export function progress(job) {
  if (job.status === "paused") return t("job.paused");
  if (job.status === "waiting") return waiting(job);
  if (!job.step) return job.note || t("job.preparing");
  if (job.step >= job.steps) return t("job.finishing");
  const step = t("job.step", { step: job.step, steps: job.steps });
  return job.seconds_left == null ? step : `${step} · ${left(job)}`;
}

const left = (job) => t("left", { time: duration(job.seconds_left) });

function waiting(job) {
  const place = job.place ? t("job.waiting", { n: job.place }) : t("job.waiting.next");
  return job.seconds_left == null ? place : `${place} · ${left(job)}`;
}

function done(frame, job, on) {
  const picture = fromJob(job);
  const image = el("img", { src: picture.url, alt: title(picture), decoding: "async" });
  const show = button("open", { onclick: () => on.open(job), "aria-label": t("act.open", { prompt: title(picture) }) }, image);
  const tools = [...pictureTools(picture), tool("filmstrip", t("act.filmstrip"), () => on.filmstrip(job))];
  const words = el("p.note-line", {}, job.note || "");
  const last = frame.querySelector(".preview:not([hidden])"); // stays until the picture itself is there
  image.onload = () => last?.remove();
  frame.replaceChildren(...[last, show, el("div.tools", {}, tools), dismiss(job, on), words].filter(Boolean));
  return {};
}

function failed(frame, job, on) {
  const again = button("quiet", { onclick: () => act(job.id, "retry").then(() => on.dismiss(job)).catch((error) => note(error.message)) }, icon("retry", 16), t("job.retry"));
  frame.replaceChildren(el("div.said", {}, el("p", {}, sentence(job.error_code, job.error)), again), dismiss(job, on));
  return {};
}

function cancelled(frame, job, on) {
  frame.replaceChildren(el("div.said", {}, el("p", {}, t("job.cancelled"))), dismiss(job, on));
  return {};
}

const dismiss = (job, on) => button("tool.corner", { title: t("job.dismiss"), "aria-label": t("job.dismiss"), onclick: () => on.dismiss(job) }, icon("close", 16));
