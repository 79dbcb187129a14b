// How far a picture grows at each side: four numbers, and the picture shown in its new frame.

import { tell } from "../core/tools.js";
import { ways } from "../image/modes.js";
import { el, say, set } from "../core/dom.js";
import { loaded, store } from "../components/uploads.js";
import { t } from "../core/i18n.js";
import { note } from "../core/toast.js";
import { fit, modelOf } from "../image/fields.js";

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

const MORE = 1.5; // times the pixels that a model was made for, and it still draws well

const SMALLEST = 64;

/** -> the fields that follow from the form's picture: width, height, and what else the way needs */
export async function arranged(form) {
  const way = ways[form.way] ?? {};
  const model = await modelOf(form.model);
  const image = form.start_picture && way.picture ? await loaded(form.start_picture).catch(() => null) : null;
  if (!image || !model) return {};
  const { naturalWidth: width, naturalHeight: height } = image;
  const suits = [width, height].every((side) => side % Math.max(8, model.factor) === 0 && side >= SMALLEST);
  const small = width * height <= model.width * model.height * MORE;
  const size = suits && small ? [width, height] : fit(model, width / height, 8);
  if (way.margins) return grown(form, image, size);
  if (way.mask === "must" && !small) return { only_masked: true, width: model.width, height: model.height };
  return { only_masked: false, width: size[0], height: size[1] };
}

/** A picture that grows must come in a size that the model can do. */
async function grown(form, image, [width, height]) {
  const changes = {};
  if (width !== image.naturalWidth || height !== image.naturalHeight) {
    changes.start_picture = await store(await scaled(image, width, height));
    note(t("compose.fitted", { size: `${width} × ${height}` }));
  }
  const margins = form.expand ? JSON.parse(form.expand) : { left: quarter(width), top: 0, right: quarter(width), bottom: 0 };
  return { ...changes, ...withMargins(width, height, margins) };
}

/** The fields of the form for a picture of that size and those margins. */
export const withMargins = (width, height, margins) => ({
  expand: JSON.stringify(margins),
  width: width + margins.left + margins.right,
  height: height + margins.top + margins.bottom,
});

const quarter = (length) => Math.round(length / 32) * 8;

function scaled(image, width, height) {
  const canvas = el("canvas", { width, height });
  canvas.getContext("2d").drawImage(image, 0, 0, width, height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
