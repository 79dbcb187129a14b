// The form of the Image tab: what a model, a shape, a click on "last seed" does to its fields.

import { models } from "./api.js";
import { formOf } from "./form.js";
import { mine } from "./live.js";
import { showStart } from "./start.js";

const known = models()
  .then(({ models }) => new Map(models.filter(({ task }) => (task ?? "image") === "image").map((model) => [model.id, model])))
  .catch(() => new Map());

const base = formOf("image", { first, shown: (form) => showStart(form.start_picture) });
const { named, listed } = base;
export const { keep } = base;

async function first(form) {
  const catalog = await known;
  return wishes(catalog.get(form.model), form.size);
}

export async function restore(...values) {
  const form = named(await base.restore(...values));
  if (!form.model) form.model = (await known).keys().next().value;
  return suited(form);
}

export function fill(wish, ...values) {
  const form = named(base.fill(wish, ...values));
  if (wish.includes('"width"')) form.size = presetOf(form);
  return suited(form);
}

/** Another model: its own steps, guidance, sampler and sizes. */
export async function model(...values) {
  const form = named(values);
  return suited(Object.assign(form, wishes((await known).get(form.model), form.size)));
}

/** The values of the form, and as samplers only those that its model can do. */
async function suited(form) {
  const model = (await known).get(form.model);
  if (!model) return listed(form);
  const value = model.samplers.includes(form.sampler) ? form.sampler : model.sampler;
  const choices = model.samplers.map((name) => [name, name]);
  return listed({ ...form, sampler: { __type__: "update", choices, value } }); // as Gradio's own gr.update
}

export async function size(...values) {
  const form = named(values);
  const wish = wishes((await known).get(form.model), form.size);
  return listed({ ...form, width: wish.width ?? form.width, height: wish.height ?? form.height });
}

/** The seed of the newest picture, to draw it again with other settings. */
export function reuse(seed) {
  const drawn = mine().filter((job) => job.kind === "image").map((job) => job.request.seed).find((value) => value >= 0);
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
