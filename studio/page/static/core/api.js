// The studio's own routes. A refusal becomes an Error whose message is the sentence for a person.

import { has, invalid, language, phrase, t } from "./i18n.js";

export async function ask(path, options = {}) {
  const answer = await fetched(path, options);
  return isJson(answer) ? answer.json() : null;
}

async function fetched(path, options) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new Error(t("error.offline"));
  }
  if (!answer.ok) throw refusal(isJson(answer) ? (await answer.json()).error : null);
  return answer;
}

const isJson = (answer) => answer.headers.get("content-type")?.includes("json");

function refusal(error) {
  return Object.assign(new Error(sentence(error?.code, error?.message)), { code: error?.code, field: error?.field });
}

/** The server speaks English; in another language what is known has words of its own. */
export function sentence(code, message) {
  if (code === "invalid" && message) return invalid(message);
  if (language() === "en") return message || t("job.failed");
  const said = message && phrase(message);
  if (said && said !== message) return said;
  return has(`error.${code}`) ? t(`error.${code}`) : message || t("job.failed");
}

export const post = (path, body) => send("POST", path, body);

export const send = (method, path, body) => ask(path, json(method, body));

const json = (method, body) => ({
  method,
  headers: body === undefined ? {} : { "Content-Type": "application/json" },
  body: body === undefined ? undefined : JSON.stringify(body),
});

function upload(path, file) {
  const form = new FormData();
  form.append("file", file, "picture");
  return ask(path, { method: "POST", body: form });
}

export const submit = (request) => post("/api/jobs", request);
export const sketched = async (request) => (await fetched("/api/sketches", json("POST", request))).blob();
export const act = (id, verb) => post(`/api/jobs/${id}/${verb}`);
export const cancelAll = (ids) => post("/api/jobs/cancel", { ids });
export const reorder = (ids) => post("/api/jobs/order", { ids });
export const uploadStart = (file) => upload("/api/uploads", file);
export const readInfo = (file) => upload("/api/info", file);
export const status = () => ask("/api/status");
export const models = () => ask("/api/models");
export const gallery = (query) => ask(`/api/gallery?${new URLSearchParams(query)}`);
export const search = (query) => ask(`/api/search?${new URLSearchParams(query)}`);
export const picture = (id) => ask(`/api/gallery/${id}`);
export const rewrite = (id, text) => send("PATCH", `/api/gallery/${id}`, { text });
export const removeAll = (ids) => ask("/api/gallery/delete", { ...json("POST", { ids }), keepalive: true });
export const zipPath = (ids) => `/api/gallery.zip?ids=${ids.join(",")}`;

function uploadNamed(path, file) {
  const form = new FormData();
  form.append("file", file, file.name ?? "file");
  return ask(path, { method: "POST", body: form });
}

export const readText = (file) => uploadNamed("/api/text", file);

export const spokenOf = (job) => ask(`/api/jobs/${job}/pieces`).then(({ pieces }) => pieces);

export const uploadRecording = (file) => uploadNamed("/api/recordings", file);

/** A sentence of that voice, as a sound file. */
export async function sampleOf(model, voice) {
  const answer = await fetch(`/api/voices/sample?${new URLSearchParams({ model, voice })}`, { credentials: "same-origin" }).catch(() => {
    throw new Error(t("error.offline"));
  });
  if (answer.ok) return answer.blob();
  const { error } = await answer.json().catch(() => ({}));
  throw new Error(sentence(error?.code, error?.message));
}
