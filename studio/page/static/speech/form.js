// The form of the Speech tab: the voices that a model has, what they cost, how long the text will last.

import { models } from "../core/api.js";
import { formOf, missing } from "../jobs/gradio_form.js";
import { showText } from "./text.js";
import { languageName, t } from "../core/i18n.js";
import { showVoice } from "./voices.js";

const known = models()
  .then(({ models }) => new Map(models.filter(({ task }) => task === "speech").map((model) => [model.id, model])))
  .catch(() => new Map());

const base = formOf("speech", { task: "speech", ready: known });
const { named, changes } = base;
export const { offer, settle, keep } = base;

export async function restore(kept, ...values) {
  const form = named(await base.restore(kept, ...values));
  if (!(await known).has(form.model) && !form.model?.includes("/")) form.model = (await known).keys().next().value;
  return changes(named(values), await suited(form));
}

export const fill = base.filler(suited);

const FIELDS = ["text", "model", "voice", "speed", "format", "voice_sample"];

export const run = base.asks((form) => {
  if (!form.text?.trim()) throw missing("text", t("error.text"));
  const clones = document.documentElement.hasAttribute("data-clones");
  const request = Object.fromEntries(FIELDS.map((name) => [name, form[name]]));
  return { kind: "speech", ...request, voice: form.voice ?? "", voice_sample: (clones && form.voice_sample) || null };
});

/** Another model, voice or speed. */
export const chosen = async (...values) => changes(named(values), await suited(named(values)));

/** The values of the form, and as voices those of its model. */
async function suited(form) {
  const model = (await known).get(form.model);
  showText(form);
  if (!model) return form;
  const voices = model.voices ?? [];
  const single = !form.voice?.includes("+"); // a blend is written by hand
  const value = voices.includes(form.voice) || (model.blends && !single) ? form.voice : (voices[0] ?? "");
  showVoice({ ...form, voice: value }, model);
  return { ...form, voice: { __type__: "update", choices: voices.map((voice, i) => [labelOf(model, voice, i), voice]), value } };
}

/** Heart · American English · 8 MB to fetch */
function labelOf({ voices, languages = [], here = [] }, voice, i) {
  const tag = languages.length === voices.length ? languages[i] : languages.length === 1 ? languages[0] : null;
  const parts = [voice[0].toUpperCase() + voice.slice(1), tag && languageName(tag), !here.includes(voice) && t("voice.fetch")];
  return parts.filter(Boolean).join(" · ");
}
