// The routes of speech. A refusal becomes an Error whose message is the sentence for a person.

import { ask, sentence } from "./api.js";
import { t } from "./words.js";

function upload(path, file) {
  const form = new FormData();
  form.append("file", file, file.name ?? "file");
  return ask(path, { method: "POST", body: form });
}

export const readText = (file) => upload("/api/text", file);
export const spokenOf = (job) => ask(`/api/jobs/${job}/pieces`).then(({ pieces }) => pieces);
export const uploadRecording = (file) => upload("/api/recordings", file);

/** A sentence of that voice, as a sound file. */
export async function sampleOf(model, voice) {
  const answer = await fetch(`/api/voices/sample?${new URLSearchParams({ model, voice })}`, { credentials: "same-origin" }).catch(() => {
    throw new Error(t("error.offline"));
  });
  if (answer.ok) return answer.blob();
  const { error } = await answer.json().catch(() => ({}));
  throw new Error(sentence(error?.code, error?.message));
}
