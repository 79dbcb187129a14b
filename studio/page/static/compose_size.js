// How large the result of work on a picture is: as the picture itself, where the model can do that.

import { note } from "./core/toast.js";
import { el } from "./core/dom.js";
import { ways } from "./image/modes.js";
import { fit, modelOf } from "./image/fields.js";
import { loaded, store } from "./components/uploads.js";
import { t } from "./core/i18n.js";

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
