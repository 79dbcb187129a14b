// The form of the Image tab.

import { imageForm } from "./image_fields.js";
import { showStart } from "./start.js";

export const { keep, restore, fill, model, size, reuse } = imageForm("image", (form) => showStart(form.start_picture));
