// The form of the Caption tab: the picture or the batch that it is about, and what browsers remember of it.

import { formOf, missing, order } from "../jobs/gradio_form.js";
import { models, post } from "../core/api.js";
import { showBatch, showPicture } from "./source.js";
import { t } from "../core/i18n.js";

const known = models()
  .then(({ models }) => models.filter(({ task }) => task === "caption"))
  .catch(() => []);

const base = formOf("caption", { task: "caption", first, shown, ready: known });
const { named, changes } = base;
export const { offer, settle, fill } = base;

const SETTINGS = ["model", "style", "candidates", "max_tokens", "beams", "temperature"];
const WORDING = ["prefix", "suffix", "forbidden"]; // a field in a fold that was never opened has no value yet

/** One picture, or every picture of a batch. */
export function requestOf(form) {
  const needed = form.mode === "many" ? "batch" : "picture";
  if (!form[needed]) throw missing(needed, t(`error.${needed}`));
  const settings = { ...Object.fromEntries(SETTINGS.map((name) => [name, form[name]])), seed: form.seed ?? -1 };
  for (const name of WORDING) settings[name] = form[name] || "";
  return form.mode === "many" ? { batch: form.batch, run: { settings, again: Boolean(form.again) } } : { kind: "caption", picture: form.picture, ...settings };
}

export const run = base.asks(requestOf, (asked) => (asked.batch ? post(`/api/batches/${asked.batch}/run`, asked.run) : order(asked)));

async function first(form) {
  return { model: form.model ?? (await known)[0]?.id };
}

export async function restore(kept, ...values) {
  const form = named(await base.restore(kept, ...values));
  if (!form.model) form.model = (await known)[0]?.id;
  return changes(named(values), form);
}

/** Also called at each change: what is shown beside the form follows its mode. */
export function keep(kept, ...values) {
  shown(named(values));
  return base.keep(kept, ...values);
}

function shown(form) {
  document.documentElement.dataset.caption = form.mode === "many" ? "many" : "one";
  showPicture(form.picture);
  showBatch(form.batch);
}
