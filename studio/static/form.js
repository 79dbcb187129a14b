// The form of the Image tab, as seen from Gradio: plain functions from the values of its fields to their new values.

import { models } from "./api.js";
import { mine } from "./live.js";
import { showStart } from "./start.js";

const names = () => window.triptychFields;
const named = (values) => Object.fromEntries(names().map((name, i) => [name, values[i]]));
const listed = (form) => names().map((name) => form[name]);

const known = models()
  .then(({ models }) => new Map(models.map((model) => [model.id, model])))
  .catch(() => new Map());

let restored = false; // nothing is kept before what was kept has been put back

/** -> what the browser remembers */
export const keep = (...values) => [restored ? { ...named(values), ready: true } : window.triptychKept ?? {}];

/** What was kept, over what the model would like. */
export async function restore(kept, ...values) {
  const form = named(values);
  const catalog = await known;
  if (!kept?.ready) Object.assign(form, wishes(catalog.get(form.model), form.size));
  else for (const name of names()) if (kept[name] !== undefined) form[name] = kept[name];
  if (!form.model) form.model = catalog.keys().next().value;
  restored = true;
  document.documentElement.dataset.form = "ready";
  showStart(form.start_picture);
  return listed(form);
}

/** From elsewhere on the page: an example, a picture of the gallery, a dropped file. */
export function fill(wish, ...values) {
  const form = Object.assign(named(values), JSON.parse(wish));
  if (wish.includes('"width"')) form.size = presetOf(form);
  showStart(form.start_picture);
  return listed(form);
}

/** Another model: its own steps, guidance, sampler and sizes. */
export async function model(...values) {
  const form = named(values);
  return listed(Object.assign(form, wishes((await known).get(form.model), form.size)));
}

export async function size(...values) {
  const form = named(values);
  const wish = wishes((await known).get(form.model), form.size);
  return listed({ ...form, width: wish.width ?? form.width, height: wish.height ?? form.height });
}

/** The seed of the newest picture, to draw it again with other settings. */
export function reuse(seed) {
  const drawn = mine().map((job) => job.request.seed).find((value) => value >= 0);
  return [drawn ?? seed];
}

function wishes(model, preset) {
  if (!model) return {};
  const { steps, guidance_scale, sampler } = model;
  const wish = { steps, guidance_scale, sampler };
  if (preset in RATIOS) [wish.width, wish.height] = fit(model, RATIOS[preset]);
  return wish;
}

const RATIOS = { square: 1, landscape: 3 / 2, portrait: 2 / 3 };
const GRID = 32; // pixels; finer shapes gain nothing for the eye, and fewer shapes share more batches

/** Width and height with about as many pixels as the model was made for, in multiples of its factor. */
function fit({ width, height, factor }, ratio) {
  const grid = Math.max(GRID, factor);
  const side = (length) => Math.max(grid, Math.round(length / grid) * grid);
  return [side(Math.sqrt(width * height * ratio)), side(Math.sqrt((width * height) / ratio))];
}

const presetOf = ({ width, height, size }) => (size in RATIOS && Math.abs(width / height - RATIOS[size]) < 0.01 ? size : width === height ? "square" : "free");
