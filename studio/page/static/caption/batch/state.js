// The batch that is looked at: asked for once, then told over the live connection as it changes.

import { ask, send } from "../../core/api.js";
import { changes } from "../../jobs/live.js";
import { shown } from "../../core/router.js";

export const PAGE = 60;
const LATER = 400; // milliseconds; many changes together are one look

export const state = { id: null, batch: null, list: [], items: [], found: 0, offset: 0, order: "place", which: "all", text: "", view: localStorage.getItem("triptych.batch.view") ?? "grid", gone: false };
const watchers = new Set();

export const current = () => state.id;
export const batches = () => state.list;
export const look = (watcher) => (watchers.add(watcher), watcher());
export const unlook = (watcher) => watchers.delete(watcher);
const tell = () => watchers.forEach((watcher) => watcher());

/** Look at that batch; `fresh` also when it is the one already looked at. */
export function show(id, fresh = false) {
  if (state.id === (id || null) && !fresh && state.batch) return soon();
  if (state.id !== (id || null)) Object.assign(state, { id: id || null, batch: null, items: [], found: 0, offset: 0, which: "all", text: "", gone: false });
  tell();
  return refresh();
}

export function turn(change) {
  Object.assign(state, { offset: 0 }, change);
  if (change.view) localStorage.setItem("triptych.batch.view", change.view);
  tell();
  return refresh();
}

/** Ask for something; what comes back is shown. id: where it may be another batch than that on the stage. Raises Error with its sentence. */
export async function act(verb, body, method = "POST", id = state.id) {
  const answer = await send(method, `/api/batches/${id}/${verb}`, body);
  if (answer?.batch && id === state.id) state.batch = answer.batch;
  await refresh();
  return answer;
}

export async function remove(id) {
  await ask(`/api/batches/${id}`, { method: "DELETE" });
  state.list = state.list.filter((batch) => batch.id !== id);
}

let asked = 0;
/** whole: also the batches, which are told of as they change. */
export async function refresh(whole = true) {
  const mine = ++asked;
  const { id, offset, order, which, text } = state;
  try {
    const [{ batches: list }, page, one] = await Promise.all([
      whole ? ask("/api/batches") : { batches: state.list },
      id ? ask(`/api/batches/${id}/items?${new URLSearchParams({ offset, limit: PAGE, order, which, text })}`) : { items: [], found: 0 },
      id && whole ? ask(`/api/batches/${id}`) : { batch: state.batch },
    ]);
    if (mine !== asked) return;
    Object.assign(state, { list, items: page.items, found: page.found, batch: one?.batch ?? null });
  } catch (error) {
    if (mine !== asked) return;
    if (error.code === "not_found") Object.assign(state, { id: null, batch: null, items: [], found: 0, gone: true });
  }
  tell();
}

let waiting = null, all = false;
/** Not at once, and not twice: while many things happen, a look now and then is enough. */
export function soon(after = LATER, whole = true) {
  all ||= whole;
  waiting ??= setTimeout(() => {
    if (shown() === "caption") refresh(all);
    [waiting, all] = [null, false];
  }, after);
}

/** A batch has changed: batch is null where it is there no more; items: those that have changed, null: perhaps many. */
function heard({ id, batch, items }) {
  const others = state.list.filter((one) => one.id !== id);
  state.list = batch ? [...others, batch].sort((a, b) => b.created - a.created) : others;
  if (id === state.id) {
    if (batch) state.batch = batch;
    else Object.assign(state, { id: null, batch: null, items: [], found: 0, gone: true });
    if (batch && !replaced(items)) soon(LATER, false);
  }
  tell();
}

/** Whether the page of items is as it should be now: where they are chosen or sorted by what changes, it is asked for. */
function replaced(items) {
  if (!items || state.which !== "all" || state.text || !["place", "name"].includes(state.order)) return false;
  const fresh = new Map(items.map((item) => [item.number, item]));
  state.items = state.items.map((item) => fresh.get(item.number) ?? item);
  return true;
}

changes.addEventListener("batch", ({ detail }) => heard(detail));
changes.addEventListener("connected", () => soon(0)); // what has changed while nothing was told
addEventListener("triptych:tab", ({ detail }) => detail === "caption" && soon(0));
