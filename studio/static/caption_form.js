// The form of the Caption tab: the picture or the batch that it is about, and what browsers remember of it.

import { formOf } from "./form.js";
import { models } from "./api.js";
import { showBatch, showPicture } from "./caption_source.js";

const known = models()
  .then(({ models }) => models.filter(({ task }) => task === "caption"))
  .catch(() => []);

const base = formOf("caption", { first, shown });
const { named, listed } = base;
export const { fill, keep: keepAll } = base;

async function first(form) {
  return { model: form.model ?? (await known)[0]?.id };
}

export async function restore(...values) {
  const form = named(await base.restore(...values));
  if (!form.model) form.model = (await known)[0]?.id;
  return listed(form);
}

/** Also called at each change: what is shown beside the form follows its mode. */
export function keep(kept, ...values) {
  shown(named(values));
  return keepAll(kept, ...values);
}

function shown(form) {
  document.documentElement.dataset.caption = form.mode === "many" ? "many" : "one";
  showPicture(form.picture);
  showBatch(form.batch);
}
