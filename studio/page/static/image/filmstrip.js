// From noise to picture in eight frames: made on demand, as a job of its own with the same settings and seed.

import { sentence, submit } from "../core/api.js";
import { el, say } from "../core/dom.js";
import { title } from "../jobs/kinds.js";
import { changes, jobs, takeJob } from "../jobs/live.js";
import { progress, ring } from "../jobs/progress.js";
import { t } from "../core/i18n.js";

const made = new Map(); // picture id -> id of its filmstrip's job

export function filmstrip(picture) {
  const node = el("div.strip", {});
  const show = () => draw(node, picture, jobs.get(made.get(picture.id)));
  const begin = async () => {
    if (made.has(picture.id)) return;
    node.replaceChildren(el("p.muted", {}, t("filmstrip.busy")));
    try {
      const { jobs: [job] } = await submit({ ...picture.request, count: 1, filmstrip: true, priority: "interactive" });
      made.set(picture.id, job.id);
      takeJob(jobs.get(job.id) ?? job);
    } catch (error) {
      node.replaceChildren(el("p.problem", { role: "alert" }, error.message));
    }
  };
  const watch = () => (node.isConnected ? show() : changes.removeEventListener("jobs", watch));
  setTimeout(() => changes.addEventListener("jobs", watch), 0);
  if (made.has(picture.id)) show();
  return { node, begin };
}

function draw(node, picture, job) {
  if (!job) return;
  if (job.status === "done") return finished(node, picture, job);
  if (job.error) return node.replaceChildren(el("p.problem", { role: "alert" }, sentence(job.error_code, job.error)));
  const circle = node.ring ?? (node.ring = ring());
  const text = node.text ?? (node.text = el("span.progress-text", {}));
  circle.update(job.steps ? job.step / job.steps : 0, !job.step);
  say(text, progress(job));
  if (circle.node.parentNode?.parentNode !== node) node.replaceChildren(el("div.progress", {}, circle.node, text));
}

function finished(node, picture, job) {
  if (node.querySelector("img")) return;
  node.replaceChildren(el("img", { src: job.artifact.url, alt: t("filmstrip.alt", { prompt: title(picture) }) }));
}
