// The live connection: one's own jobs and the state of the machine, pushed by the server.

import { t } from "../core/i18n.js";

export const jobs = new Map(); // id -> job, one's own: live ones and those that ended lately
export const machine = { status: null, connected: false };
export const changes = new EventTarget(); // "job" (detail: {job, before, known}), "jobs", "status", "connected", "batch" (detail: {id, batch, items}), "piece" (detail: {job: id, piece})

const parts = new Map(); // job id -> its pieces by their number
/** What is ready of a job before the whole is (spoken sentences), in order. */
export const pieces = (id) => (parts.get(id) ?? []).filter(Boolean);

const LIVE = new Set(["waiting", "running", "paused"]);
export const isLive = (job) => LIVE.has(job.status);
export const newestFirst = (list) => list.sort((a, b) => b.created - a.created || (b.id < a.id ? -1 : 1));
export const mine = () => newestFirst([...jobs.values()]);

const TOGETHER = 0.25; // seconds; what one click has asked for arrives within this time

/** The newest click first, its pictures in the order in which they are made. */
export function byClick(list) {
  const groups = [];
  for (const job of list) {
    const last = groups.at(-1);
    if (last && last[0].created - job.created < TOGETHER) last.unshift(job);
    else groups.push([job]);
  }
  return groups.flat();
}

let delay = 250;
let told = false; // a connection begins with all jobs that there are, and the status ends them

export function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
  let fresh = true; // the first messages after a connection replace what we knew
  socket.onopen = () => {
    delay = 250;
    told = false;
    machine.connected = true;
    tell("status");
    tell("connected");
  };
  socket.onmessage = ({ data }) => {
    if (fresh) jobs.clear();
    fresh = false;
    take(JSON.parse(data));
  };
  socket.onclose = ({ code }) => {
    if (code === 4401) return location.reload(); // the session has ended: the server leads to the login
    machine.connected = false;
    tell("status");
    setTimeout(connect, delay);
    delay = Math.min(delay * 2, 5000);
  };
}

function take(event) {
  if (event.type === "job") takeJob(event.job);
  else if (event.type === "piece") takePiece(event);
  else if (event.type === "batch") changes.dispatchEvent(new CustomEvent("batch", { detail: event }));
  else if (event.type === "status") {
    told = true;
    machine.status = event.status;
    tell("status");
  }
}

/** Also for jobs that an answer of the server has brought before the connection did. known: it was there before. */
export function takeJob(job) {
  const before = jobs.get(job.id);
  // a preview stays until the next one comes
  if (before?.preview && !job.preview && isLive(job)) job.preview = before.preview;
  jobs.set(job.id, job);
  changes.dispatchEvent(new CustomEvent("job", { detail: { job, before, known: Boolean(before) || !told } }));
  soon();
}

function takePiece({ job, piece }) {
  const known = parts.get(job) ?? [];
  parts.set(job, known);
  const at = piece.number ?? piece.index ?? known.length;
  if (known[at] && JSON.stringify(known[at]) === JSON.stringify(piece)) return; // told again after a lost connection
  if (at === 0) known.length = 0; // the job has begun anew
  known[at] = piece;
  changes.dispatchEvent(new CustomEvent("piece", { detail: { job, piece } }));
  soon();
}

function tell(name) {
  changes.dispatchEvent(new Event(name));
}

let asked = false;
function soon() {
  if (asked) return;
  asked = true;
  // a timer rather than an animation frame: a page in the background keeps its state, too
  setTimeout(() => {
    asked = false;
    tell("jobs");
  }, 30);
}

/** "2 running · 3 waiting · mine: 1", or what keeps the machine from it. */
export function pill() {
  const { status, connected } = machine;
  if (!connected || !status) return { state: "off", text: t("pill.offline") };
  if (status.trouble) return { state: "off", text: t("pill.trouble") };
  if (status.worker === "starting") return { state: "busy", text: t("pill.starting") };
  if (status.worker === "restarting") return { state: "off", text: t("pill.restarting") };
  if (!status.running && !status.waiting) return { state: "idle", text: t("pill.idle") };
  const parts = ["running", "waiting", "mine"].filter((part) => status[part] || part === "running");
  return { state: "busy", text: parts.map((part) => t(`pill.${part}`, { n: status[part] })).join(" · ") };
}
