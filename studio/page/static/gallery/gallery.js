// The gallery: search at the side, pictures on the stage, more of them as one scrolls.

import { gallery as ask, models, removeAll, zipPath } from "../core/api.js";
import { note } from "../core/toast.js";
import { button, el, order, set, say } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { infoReader } from "./picture_info.js";
import { kinds, title, viewOf } from "../jobs/kinds.js";
import { lightbox } from "../jobs/lightbox.js";
import { changes, jobs } from "../jobs/live.js";
import { near } from "./related.js";
import { open, shown } from "../core/router.js";
import { t } from "../core/i18n.js";

const PAGE = 40;
const state = { items: [], next: null, done: false, loading: false, fresh: false, picked: null, text: "", model: "", kind: "" };
const hidden = new Map(); // pictures on their way out: id -> timer (one for all that go together), until "undo" or its end
let view = null;

export function gallerySide(place) {
  const search = el("input", { type: "search", id: "gallery-search", placeholder: t("gallery.search"), autocomplete: "off" });
  let timer;
  search.oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(() => filter({ text: search.value.trim() }), 200);
  };
  const choice = el("select", { id: "gallery-model" }, el("option", { value: "" }, t("gallery.model.all")));
  choice.onchange = () => filter({ model: choice.value });
  models().then(({ models }) => choice.append(...models.map((model) => el("option", { value: model.id }, model.name)))).catch(() => {});
  place.append(
    el("div.fields", {},
      el("label.field", {}, el("span", {}, t("gallery.search.label"), el("kbd", {}, "/")), search),
      kindChoice(),
      el("label.field", {}, el("span", {}, t("gallery.model")), choice),
      infoReader(),
    ),
  );
}

/** Pictures, recordings, captions: asked only where there is more than one kind. */
function kindChoice() {
  if (kinds().length < 2) return null;
  const choice = el("select", { id: "gallery-kind" }, el("option", { value: "" }, t("gallery.kind.all")));
  choice.append(...kinds().map((kind) => el("option", { value: kind }, t(`kind.${kind}`))));
  choice.onchange = () => filter({ kind: choice.value });
  return el("label.field", {}, el("span", {}, t("gallery.kind")), choice);
}

export function galleryStage(place) {
  const grid = el("div.grid.thumbs", { role: "list" });
  const end = el("div.end", {});
  const bar = el("div.stage-bar", {});
  const alike = near({ ondelete: (picture) => drop([picture.id]) });
  view = { grid, end, bar, alike, cards: new Map() };
  place.append(bar, grid, end, alike.node);
  new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && more(), { rootMargin: "600px" }).observe(end);
  addEventListener("triptych:tab", ({ detail }) => detail === "gallery" && (state.fresh ? draw() : restart()));
  addEventListener("pagehide", leaving);
  const ended = new Set(); // a job may be done when it is first heard of
  changes.addEventListener("job", ({ detail: { job } }) => {
    if (job.status !== "done" || job.request.filmstrip || ended.has(job.id)) return;
    ended.add(job.id);
    state.fresh = false;
  });
  changes.addEventListener("jobs", () => !state.fresh && shown() === "gallery" && restart());
  grid.onkeydown = walk;
  if (shown() === "gallery") restart();
}

function filter(change) {
  Object.assign(state, change);
  restart();
}

async function restart() {
  Object.assign(state, { next: null, done: false, fresh: true, asked: (state.asked ?? 0) + 1 });
  state.loading = false;
  view.alike.clear();
  await more(true);
}

async function more(first = false) {
  if (state.loading || (state.done && !first) || shown() !== "gallery") return;
  state.loading = true;
  const asked = state.asked;
  try {
    const answer = await ask(query(first));
    if (asked !== state.asked) return; // another search has overtaken this one
    state.items = first ? answer.items : [...state.items, ...answer.items];
    state.next = answer.next;
    state.done = answer.next === null || answer.next === undefined;
    state.failed = null;
  } catch (error) {
    if (asked !== state.asked) return;
    state.failed = error.message;
    state.done = true;
  }
  state.loading = false;
  draw();
  if (state.done && state.text && !state.failed) view.alike.look(state.text, state.kind, new Set(state.items.map(({ id }) => id)));
}

function query(first) {
  const wanted = { limit: PAGE, text: state.text, model: state.model, kind: state.kind, before: first ? "" : state.next };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== "" && value !== null));
}

const visible = () => state.items.filter((item) => !hidden.has(item.id));

function draw() {
  const items = visible();
  order(view.grid, items.map(card));
  view.bar.replaceChildren(...tools(items));
  set(view.bar, { hidden: !items.length });
  view.end.replaceChildren(...ending(items));
}

function ending(items) {
  if (state.failed) return [el("p.problem", { role: "alert" }, state.failed), button("quiet", { onclick: restart }, t("gallery.again"))];
  if (!state.done) return [el("p.muted", {}, t("gallery.loading"))];
  if (items.length) return [];
  if (state.text || state.model || state.kind) return [el("p.muted.nothing", {}, t("gallery.nothing"))];
  return [el("section.empty", {}, el("h2", {}, t("gallery.empty")), el("p.muted", {}, t("gallery.empty.text")), button("quiet", { onclick: () => open("image") }, t("gallery.empty.go")))];
}

function card(item) {
  let known = view.cards.get(item.id);
  if (!known) {
    const words = { "aria-label": t("act.open", { prompt: title(item) }), title: title(item) };
    known = button("thumb", { onclick: () => press(item), "data-id": item.id, "data-kind": item.kind, ...words }, ...viewOf(item).card(item), ...gone(item), el("span.pick", {}, icon("check", 14)));
    view.cards.set(item.id, known);
  }
  set(known, { "aria-pressed": state.picked ? String(state.picked.has(item.id)) : null });
  return known;
}

/** Its file is not where it was: a disk that is not connected, or somebody has moved it. */
const gone = (item) => (item.missing ? [el("span.gone", { title: t("gallery.missing.text") }, t("gallery.missing"))] : []);

function press(item) {
  if (!state.picked) return enlarge(item);
  if (!state.picked.delete(item.id)) state.picked.add(item.id);
  draw();
}

function enlarge(item) {
  const items = visible();
  const at = items.findIndex(({ id }) => id === item.id);
  lightbox(items, at, { ondelete: (picture) => drop([picture.id]), more: () => more().then(visible) });
}

function tools(items) {
  const heading = el("h2", {}, state.picked ? t("gallery.selected", { n: state.picked.size }) : t("gallery.title"));
  if (!state.picked) return [heading, button("link", { id: "gallery-select", onclick: () => pick(new Set()) }, t("gallery.select"))];
  const ids = [...state.picked];
  const none = !ids.length;
  return [
    heading,
    button("link", { onclick: () => pick(new Set(items.map((item) => item.id))) }, t("gallery.select.all")),
    el("a.link", { href: none ? null : zipPath(ids), download: "triptych.zip", "aria-disabled": none, id: "gallery-zip" }, t("gallery.zip")),
    button("link", { disabled: none, id: "gallery-delete", onclick: () => (drop(ids), pick(null)) }, t("act.delete")),
    button("link", { onclick: () => pick(null) }, t("gallery.select.done")),
  ];
}

function pick(picked) {
  state.picked = picked;
  view.grid.toggleAttribute("data-picking", Boolean(picked));
  draw();
}

const UNDO_SECONDS = 6;

/** Out of sight at once, gone for good when the time to undo is over. */
function drop(ids) {
  const timer = setTimeout(() => forget(ids), UNDO_SECONDS * 1000);
  for (const id of ids) hidden.set(id, timer);
  draw();
  note(t("gallery.deleted", { n: ids.length }), { text: t("gallery.undo"), run: () => bring(ids) }, UNDO_SECONDS);
}

function bring(ids) {
  for (const id of ids) {
    clearTimeout(hidden.get(id));
    hidden.delete(id);
  }
  draw();
}

const AT_ONCE = 1000; // that the studio deletes in one go

const portions = (ids) => Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, at) => ids.slice(at * AT_ONCE, (at + 1) * AT_ONCE));

async function forget(ids) {
  try {
    for (const some of portions(ids)) {
      await removeAll(some);
      leave(new Set(some));
    }
  } catch (error) {
    note(error.message);
  }
  for (const id of ids) {
    hidden.delete(id);
    view.cards.delete(id);
  }
  draw();
}

/** Nor are their jobs on any stage. */
function leave(gone) {
  state.items = state.items.filter((item) => !gone.has(item.id));
  for (const job of jobs.values()) if (gone.has(job.artifact?.id)) jobs.delete(job.id);
  changes.dispatchEvent(new Event("jobs"));
}

/** Who leaves the page cannot undo any more. */
function leaving() {
  for (const timer of hidden.values()) clearTimeout(timer);
  for (const some of portions([...hidden.keys()])) removeAll(some).catch(() => {});
}

/** Arrows walk over the thumbnails, as the eye does. */
function walk(event) {
  const cards = [...view.grid.children];
  const at = cards.indexOf(event.target);
  const across = getComputedStyle(view.grid).gridTemplateColumns.split(" ").length;
  const way = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
  if (!way || at < 0 || !cards[at + way]) return;
  event.preventDefault();
  cards[at + way].focus();
}
