// The batch that is looked at: what the server knows of it, asked again as its jobs go on.

import { ask, send } from "./api.js";
import { changes } from "./live.js";
import { shown } from "./tabs.js";

export const PAGE = 60;
const LATER = 400; // milliseconds; many jobs that end together are one look
const OFTEN = 1500;

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
export async function refresh() {
  const mine = ++asked;
  const { id, offset, order, which, text } = state;
  try {
    const [{ batches: list }, page, one] = await Promise.all([
      ask("/api/batches"),
      id ? ask(`/api/batches/${id}/items?${new URLSearchParams({ offset, limit: PAGE, order, which, text })}`) : { items: [], found: 0 },
      id ? ask(`/api/batches/${id}`) : null,
    ]);
    if (mine !== asked) return;
    Object.assign(state, { list, items: page.items, found: page.found, batch: one?.batch ?? null });
  } catch (error) {
    if (mine !== asked) return;
    if (error.code === "not_found") Object.assign(state, { id: null, batch: null, items: [], found: 0, gone: true });
  }
  tell();
}

let waiting = null;
/** Not at once, and not twice: while many things happen, a look now and then is enough. */
export function soon(after = LATER) {
  waiting ??= setTimeout(() => {
    waiting = null;
    if (shown() === "caption") refresh();
  }, after);
}

changes.addEventListener("job", ({ detail: { job } }) => job.request.batch && job.request.batch === state.id && soon());
addEventListener("triptych:tab", ({ detail }) => detail === "caption" && soon(0));
setInterval(() => (state.batch?.running || state.batch?.unchecked) && soon(0), OFTEN);
