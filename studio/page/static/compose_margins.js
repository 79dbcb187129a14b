// How far a picture grows at each side: four numbers, and the picture shown in its new frame.

import { tell } from "./core/tools.js";
import { withMargins } from "./compose_size.js";
import { ways } from "./image/modes.js";
import { el, say, set } from "./core/dom.js";
import { loaded } from "./components/uploads.js";
import { t } from "./core/i18n.js";

const SIDES = ["left", "top", "right", "bottom"];
const NONE = { left: 0, top: 0, right: 0, bottom: 0 };
const MOST = 1024;
let fields = {};
let now = { size: null, picture: "" };
const became = el("p.muted", {});

export function composeMargins(place) {
  fields = Object.fromEntries(SIDES.map((side) => [side, el("input", { type: "number", min: 0, max: MOST, step: 8, id: `compose-${side}`, inputmode: "numeric", onchange: change })]));
  place.append(el("fieldset.margins", {}, el("legend", {}, t("compose.expand")), SIDES.map((side) => el("label", {}, el("span", {}, t(`compose.expand.${side}`)), fields[side])), became));
}

/** Multiples of 8, as models want them. */
function change() {
  const margins = Object.fromEntries(SIDES.map((side) => [side, Math.min(MOST, Math.max(0, Math.round(fields[side].value / 8) * 8))]));
  if (now.size) tell("compose", withMargins(...now.size, margins));
  else tell("compose", { expand: JSON.stringify(margins) });
}

export async function showMargins(form) {
  const margins = { ...NONE, ...JSON.parse(form.expand || "{}") };
  for (const side of SIDES) if (fields[side] && document.activeElement !== fields[side]) fields[side].value = margins[side];
  const growing = Boolean(ways[form.way]?.margins && form.start_picture);
  if (growing && now.picture !== form.start_picture) {
    now = { picture: form.start_picture, size: null };
    const image = await loaded(form.start_picture).catch(() => null);
    if (image && now.picture === form.start_picture) now.size = [image.naturalWidth, image.naturalHeight];
  }
  frame(growing ? now.size : null, margins);
}

/** The picture in its new frame, to scale. */
function frame(size, margins) {
  const seen = document.querySelector(".base .seen");
  if (!seen) return;
  const image = seen.querySelector("img");
  seen.toggleAttribute("data-grown", Boolean(size));
  set(became, { hidden: !size });
  if (!size) return void (seen.style.cssText = image.style.cssText = "");
  const [width, height] = [size[0] + margins.left + margins.right, size[1] + margins.top + margins.bottom];
  const part = (length, whole) => `${(100 * length) / whole}%`;
  seen.style.aspectRatio = `${width} / ${height}`;
  Object.assign(image.style, { left: part(margins.left, width), top: part(margins.top, height), width: part(size[0], width), height: part(size[1], height) });
  say(became, t("compose.expand.size", { from: size.join(" × "), to: `${width} × ${height}` }));
}
