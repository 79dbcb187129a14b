// The start picture of the Image tab.

import { pictureField } from "../components/picture_field.js";
import { t } from "../core/i18n.js";

let field = null;

export function startPicture(place) {
  field = pictureField({ form: "image", name: "start_picture", hint: t("start.hint"), label: t("start"), remove: t("start.remove") });
  place.append(field.node);
}

export const setStartFrom = (url) => field.takeFrom(url);

export function showStart(sha256) {
  if (!field) return;
  document.documentElement.toggleAttribute("data-start", Boolean(sha256));
  field.show(sha256);
  if (sha256) openFold();
}

/** A picture that takes part must be seen: the fold around it opens. */
function openFold() {
  const fold = field.node.closest(".fold")?.querySelector("button[aria-expanded=false], button.label-wrap:not(.open)");
  fold?.click();
}
