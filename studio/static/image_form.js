// The form of the Image tab.

import { imageForm } from "./image_fields.js";
import { sketchOf } from "./sketch.js";
import { showStart } from "./start.js";

const form = imageForm("image", (values) => showStart(values.start_picture));

export const { settle, restore, fill, model, size, reuse } = form;

/** Every change of the form passes here. */
export function keep(kept, ...values) {
  sketchOf(form.named(values));
  return form.keep(kept, ...values);
}
