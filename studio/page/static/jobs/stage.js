// The stage of a tab: a tile for every job of its kinds, newest first; something inviting while there is none.

import { cancel } from "./cancel.js";
import { button, el, order, set } from "../core/dom.js";
import { itemOf } from "./kinds.js";
import { lightbox } from "./lightbox.js";
import { byClick, changes, isLive, machine, mine } from "./live.js";
import { tile } from "./tile.js";
import { t } from "../core/i18n.js";

const tiles = new Map();
const kept = () => JSON.parse(localStorage.getItem("triptych.gone") ?? "[]");
const gone = new Set(kept());

/**
 * kinds: of the jobs that belong here, and `where` they do; strip(job): a name that the jobs of one strip share, or "";
 * heading: its words; empty: a node that is shown while there is no job
 */
export function stage(place, { kinds, where = () => true, strip = () => "", heading, empty }) {
  const here = () => onStage(kinds).filter(where);
  const grid = el("div.grid", { role: "list", "data-kinds": kinds.join(" ") });
  const clear = button("link.clear", { onclick: () => takeOff(here().filter((job) => !isLive(job))) }, t("stage.clear"));
  const stop = button("link.stop", { onclick: () => here().filter(isLive).forEach((job) => cancel(job.id)) }, t("stage.cancel"));
  const bar = el("div.stage-bar", {}, el("h2", {}, heading), stop, clear);
  const show = () => {
    const jobs = here();
    order(grid, laid(jobs, strip, (job) => tileOf(job, here)));
    set(bar, { hidden: !jobs.length });
    set(stop, { hidden: jobs.filter(isLive).length < 2 });
    set(clear, { hidden: !jobs.some((job) => !isLive(job)) });
    set(empty, { hidden: jobs.length > 0 });
  };
  place.classList.add("stage-root");
  place.append(bar, grid, empty);
  changes.addEventListener("jobs", show);
  changes.addEventListener("stage", show);
  let worker;
  changes.addEventListener("status", () => worker !== (worker = machine.status?.worker + machine.status?.trouble) && show());
  changes.addEventListener("job", ({ detail: { job, known } }) => {
    if (!known && kinds.includes(job.kind) && where(job)) setTimeout(comeIntoView, 80, place); // when it has been drawn
  });
  show();
}

/** The tiles; those of one strip side by side in a row of their own, in the order in which they were asked for. */
function laid(jobs, strip, tileOf) {
  const nodes = new Map();
  for (const job of jobs) {
    const name = strip(job);
    if (name) nodes.set(name, [...(nodes.get(name) ?? []), job]);
    else nodes.set(job.id, tileOf(job));
  }
  return [...nodes].map(([name, found]) => (Array.isArray(found) ? stripOf(name, found.map(tileOf)) : found));
}

const strips = new Map();

function stripOf(name, tiles) {
  if (!strips.has(name)) strips.set(name, el("div.strip-row", { role: "group" }));
  const row = strips.get(name);
  set(row, { "aria-label": t("compose.strip", { n: tiles.length }), style: `--frames: ${tiles.length}` });
  order(row, tiles);
  return row;
}

/** On a phone the stage is below the form: what was asked for comes into sight. */
function comeIntoView(place) {
  if (!matchMedia("(max-width: 820px)").matches) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  place.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
}

/** Everything of one's own that was not taken off the stage; a filmstrip belongs to its picture, not here. */
const onStage = (kinds) => byClick(mine()).filter((job) => kinds.includes(job.kind) && !gone.has(job.id) && !job.request.filmstrip);

function tileOf(job, here) {
  const known = tiles.get(job.id);
  if (known) known.update(job);
  else tiles.set(job.id, tile(job, { open: (job, begin) => enlarge(job, begin, here()), dismiss: (job) => takeOff([job]) }));
  return tiles.get(job.id).node;
}

function enlarge(job, begin, jobs) {
  const done = jobs.filter((other) => other.status === "done" && other.artifact);
  lightbox(done.map(itemOf), done.findIndex((other) => other.id === job.id), { begin });
}

function takeOff(jobs) {
  for (const job of jobs) {
    gone.add(job.id);
    tiles.delete(job.id);
  }
  const all = new Set([...kept(), ...gone]); // another window may have taken off others
  localStorage.setItem("triptych.gone", JSON.stringify([...all].slice(-500)));
  changes.dispatchEvent(new Event("stage"));
}
