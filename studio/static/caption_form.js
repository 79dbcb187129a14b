// The form of the Caption tab: the picture or the batch that it is about, and what browsers remember of it.

import { formOf } from "./form.js";
import { models } from "./api.js";
import { showBatch, showPicture } from "./caption_source.js";

const known = models()
  .then(({ models }) => models.filter(({ task }) => task === "caption"))
  .catch(() => []);

const base = formOf("caption", { first, shown, ready: known });
const { named, changes } = base;
export const { settle, fill } = base;

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
