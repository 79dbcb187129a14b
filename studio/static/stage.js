// The stage of the Image tab: a tile for every job, newest first; six examples while there is none.

import { fromJob } from "./actions.js";
import { button, el, order, set } from "./dom.js";
import { examples } from "./examples.js";
import { lightbox } from "./lightbox.js";
import { byClick, changes, isLive, mine } from "./live.js";
import { tile } from "./tile.js";
import { t } from "./words.js";

const tiles = new Map();
const gone = new Set(JSON.parse(localStorage.getItem("triptych.gone") ?? "[]"));

export function stage(place) {
  const grid = el("div.grid", { role: "list" });
  const clear = button("link", { id: "clear-finished", onclick: clearEnded }, t("stage.clear"));
  const bar = el("div.stage-bar", {}, el("h2", {}, t("stage.title")), clear);
  const empty = examples();
  const show = () => {
    const jobs = onStage();
    order(grid, jobs.map(tileOf));
    set(bar, { hidden: !jobs.length });
    set(clear, { hidden: !jobs.some((job) => !isLive(job)) });
    set(empty, { hidden: jobs.length > 0 });
  };
  place.append(bar, grid, empty);
  changes.addEventListener("jobs", show);
  changes.addEventListener("stage", show);
  changes.addEventListener("job", ({ detail: { job, before } }) => !before && justAsked(job) && setTimeout(comeIntoView, 80, place)); // when it has been drawn
  show();
}

const justAsked = (job) => job.status === "waiting" && Date.now() / 1000 - job.created < 3;

/** On a phone the stage is below the form: what was asked for comes into sight. */
function comeIntoView(place) {
  if (!matchMedia("(max-width: 820px)").matches) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  place.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
}

/** Everything of one's own that was not taken off the stage; a filmstrip belongs to its picture, not here. */
const onStage = () => byClick(mine()).filter((job) => !gone.has(job.id) && !job.request.filmstrip);

function tileOf(job) {
  const known = tiles.get(job.id);
  if (known) known.update(job);
  else tiles.set(job.id, tile(job, ON));
  return tiles.get(job.id).node;
}

const ON = {
  open: (job) => show(job, false),
  filmstrip: (job) => show(job, true),
  dismiss: (job) => takeOff([job]),
};

function show(job, filmstrip) {
  const done = onStage().filter((other) => other.status === "done" && other.artifact);
  lightbox(done.map(fromJob), done.findIndex((other) => other.id === job.id), { filmstrip });
}

const clearEnded = () => takeOff(onStage().filter((job) => !isLive(job)));

function takeOff(jobs) {
  for (const job of jobs) {
    gone.add(job.id);
    tiles.delete(job.id);
  }
  localStorage.setItem("triptych.gone", JSON.stringify([...gone].slice(-500)));
  changes.dispatchEvent(new Event("stage"));
}
