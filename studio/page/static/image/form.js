// The form of the Image tab.

import { imageForm } from "./fields.js";
import { missing } from "../jobs/gradio_form.js";
import { pictureRequest } from "./form_request.js";
import { sketchOf } from "./sketch.js";
import { showStart } from "./start_picture.js";
import { t } from "../core/i18n.js";

const form = imageForm("image", (values) => showStart(values.start_picture));

export const { offer, settle, restore, fill, model, size, reuse } = form;

export const run = form.asks((values) => {
  if (!values.prompt?.trim()) throw missing("prompt", t("error.prompt"));
  return pictureRequest(values);
});

/** Every change of the form passes here. */
export function keep(kept, ...values) {
  sketchOf(form.named(values));
  return form.keep(kept, ...values);
}
