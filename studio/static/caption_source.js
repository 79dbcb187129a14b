// The side of the Caption tab: the one picture (dropped, pasted, chosen, photographed), or many of them.

import { fill } from "./actions.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { pictureField } from "./picture_field.js";
import { t } from "./words.js";

let field = null;

export function captionSource(place) {
  field = pictureField({ form: "caption", name: "picture", hint: t("caption.drop"), label: t("caption.picture"), remove: t("caption.picture.remove"), side: 320 });
  field.node.append(camera(field.take));
  place.append(el("div.source-one", {}, field.node));
}

/** On phones and tablets: the camera itself. Elsewhere the browser knows no such button, and it is not shown. */
function camera(take) {
  const input = el("input.unseen", { type: "file", accept: "image/*", capture: "environment" });
  input.onchange = () => {
    if (input.files[0]) take(input.files[0]);
    input.value = "";
  };
  return el("label.quiet.camera", {}, input, icon("camera"), t("caption.camera"));
}

export const showPicture = (sha256) => field?.show(sha256);
export const showBatch = () => {};

/** A picture of the page itself becomes the one to describe. */
export async function describeThis(url) {
  fill("caption", { mode: "one" });
  await field.takeFrom(url);
}
