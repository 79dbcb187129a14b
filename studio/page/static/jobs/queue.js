// The line: one's own jobs with what can be done about them, everybody's place, and the machine.

import { act, cancelAll, reorder } from "../core/api.js";
import { note } from "../core/toast.js";
import { cancel } from "./cancel.js";
import { button, el, order, say, set } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { title } from "./kinds.js";
import { changes, isLive, jobs, machine, mine, takeJob } from "./live.js";
import { progress, ring } from "./progress.js";
import { bytes, number, t } from "../core/i18n.js";

export function queueSide(place) {
  const list = el("dl.facts", {});
  const meter = el("meter", { min: 0, max: 1, "aria-label": t("queue.memory") });
  place.append(el("section.machine", {}, el("h2", {}, t("queue.machine")), list, meter));
  const show = () => {
    const now = machine.status;
    if (!now) return;
    list.replaceChildren(...facts(now).map(([key, value]) => el("div", {}, el("dt", {}, t(key)), el("dd", {}, value))));
    meter.value = now.memory_total ? now.memory_used / now.memory_total : 0;
  };
  changes.addEventListener("status", show);
  show();
}

function facts(now) {
  const memory = now.memory_total ? t("queue.memory.of", { used: bytes(now.memory_used), total: bytes(now.memory_total) }) : "–";
  return [
    ["queue.worker", t(`worker.${now.worker}`)],
    ["queue.device", now.device || "–"],
    ["queue.loaded", now.model || t("queue.none")],
    ["queue.rows", now.rows_per_step ? number(now.rows_per_step, 1) : "–"],
    ["queue.rate", now.steps_per_second ? number(now.steps_per_second, 1) : "–"],
    ["queue.memory", memory],
  ];
}

export function queueStage(place) {
  const own = el("ol.jobs", {});
  const none = el("p.muted", {}, t("queue.mine.empty"));
  const all = button("link", { id: "cancel-all", onclick: stopAll }, t("queue.cancel.all"));
  const line = el("ol.line", {});
  const free = el("p.muted", {}, t("queue.line.empty"));
  const showOwn = () => {
    const mine = live();
    order(own, mine.map((job, i) => row(job, i, mine)));
    set(none, { hidden: mine.length > 0 });
    set(all, { hidden: mine.length < 2 });
  };
  const showLine = () => {
    const places = machine.status?.line ?? [];
    line.replaceChildren(...places.map(placeInLine));
    set(free, { hidden: places.length > 0 });
  };
  place.append(
    el("section", {}, el("div.stage-bar", {}, el("h2", {}, t("queue.mine")), all), own, none),
    el("section", {}, el("div.stage-bar", {}, el("h2", {}, t("queue.line"))), el("p.muted", {}, t("queue.line.text")), line, free),
  );
  changes.addEventListener("jobs", showOwn);
  changes.addEventListener("status", showLine);
  showOwn();
  showLine();
}

/** Those that are seen; what another window asks for at this moment stays. */
const stopAll = () => cancelAll(live().map((job) => job.id)).catch((error) => note(error.message));

/** In the order in which they will run. */
const live = () => mine().filter(isLive).sort((a, b) => rank(a) - rank(b) || a.created - b.created);
const rank = (job) => ({ running: -1, paused: 1e9 })[job.status] ?? job.place ?? 0;

const rows = new Map();

function row(job, i, line) {
  if (!rows.has(job.id)) rows.set(job.id, newRow(job.id));
  const known = rows.get(job.id);
  known.update(job, i, line);
  return known.node;
}

function newRow(id) {
  const circle = ring();
  const name = el("span.name", {});
  const text = el("span.progress-text", {});
  const hold = button("tool", {});
  const up = button("tool", { title: t("queue.up"), "aria-label": t("queue.up"), onclick: () => move(id, -1) }, icon("up", 16));
  const down = button("tool", { title: t("queue.down"), "aria-label": t("queue.down"), onclick: () => move(id, 1) }, icon("down", 16));
  const stop = button("tool", { title: t("job.cancel"), "aria-label": t("job.cancel"), onclick: () => cancel(id) }, icon("close", 16));
  const node = el("li.job", { "data-id": id }, circle.node, el("div.words", {}, name, text), el("div.tools", {}, up, down, hold, stop));
  draggable(node, id);
  return {
    node,
    update(job, i, line) {
      node.dataset.status = job.status;
      circle.update(job.steps ? job.step / job.steps : 0, job.status === "running" && !job.step);
      say(name, title(job));
      say(text, progress(job));
      const verb = job.status === "paused" ? "resume" : "pause";
      if (hold.dataset.verb !== verb) hold.replaceChildren(icon(verb, 16));
      hold.dataset.verb = verb;
      set(hold, { title: t(`queue.${verb}`), "aria-label": t(`queue.${verb}`), onclick: () => act(id, verb).catch((error) => note(error.message)) });
      node.draggable = job.status === "waiting";
      const waits = (other) => job.status === "waiting" && other?.status === "waiting"; // running ones have no place to give
      set(up, { disabled: !waits(line[i - 1]) });
      set(down, { disabled: !waits(line[i + 1]) });
    },
  };
}

function move(id, way) {
  const ids = waiting();
  const at = ids.indexOf(id);
  send(ids, at, at + way);
}

function send(ids, from, to) {
  if (from < 0 || to < 0 || to >= ids.length) return;
  ids.splice(to, 0, ...ids.splice(from, 1));
  seat(ids);
  reorder(ids).catch((error) => note(error.message));
}

/** Seen at once; the worker, which knows the places of everybody, confirms or corrects it with its next word. */
function seat(ids) {
  const places = ids.map((id) => jobs.get(id).place ?? 0).sort((a, b) => a - b);
  ids.forEach((id, i) => takeJob({ ...jobs.get(id), place: places[i] }));
}

const waiting = () => live().filter((job) => job.status === "waiting").map((job) => job.id);

/** Drag a waiting row onto another: it takes that place. The buttons do the same for keyboard and touch. */
function draggable(node, id) {
  node.ondragstart = (event) => {
    event.dataTransfer.setData(DRAGGED, id);
    event.dataTransfer.effectAllowed = "move";
  };
  node.ondragover = (event) => {
    if (!node.draggable || !event.dataTransfer.types.includes(DRAGGED)) return;
    event.preventDefault();
    node.dataset.over = "";
  };
  node.ondragleave = () => delete node.dataset.over;
  node.ondrop = (event) => {
    event.preventDefault();
    delete node.dataset.over;
    const ids = waiting();
    send(ids, ids.indexOf(event.dataTransfer.getData(DRAGGED)), ids.indexOf(id));
  };
}

const DRAGGED = "application/x-triptych-job";

function placeInLine(entry) {
  const who = entry.mine ? t("queue.you") : t("queue.somebody", { n: entry.owner_number });
  const place = entry.status === "running" ? t("queue.now") : entry.place == null ? "–" : String(entry.place + 1);
  const part = entry.steps ? entry.step / entry.steps : 0;
  return el(`li${entry.mine ? ".mine" : ""}`, {},
    el("span.place", {}, place),
    el("span.name", {}, who),
    el("progress", { max: 1, value: part, "aria-label": t("job.progress") }),
    el("span.progress-text", {}, entry.steps ? t("job.step", { step: entry.step, steps: entry.steps }) : t(`status.${entry.status}`)),
  );
}
