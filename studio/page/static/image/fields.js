// The fields of a form for picture models: what a model, a shape, a click on "last seed" does to them. The Image tab and
// the Compose tab have them.

import { models } from "../core/api.js";
import { formOf } from "../jobs/gradio_form.js";
import { mine } from "../jobs/live.js";

const known = models()
  .then(({ models }) => new Map(models.filter(({ task }) => (task ?? "image") === "image").map((model) => [model.id, model])))
  .catch(() => new Map());

/** What a model of pictures is and likes; undefined for one that is not here. */
export const modelOf = async (id) => (await known).get(id);

/** name: of the tab; shown(form): the form has other values. -> what the tab's own module exports for Gradio */
export function imageForm(name, shown) {
  const base = formOf(name, { task: "image", first: async (form) => wishes(await modelOf(form.model), form.size), shown, ready: known });
  const { named, changes, filler } = base;

  /** The values of the form, and as samplers only those that its model can do. */
  async function suited(form) {
    const model = await modelOf(form.model);
    if (!model) return form;
    const value = model.samplers.includes(form.sampler) ? form.sampler : model.sampler;
    const choices = model.samplers.map((name) => [name, name]);
    return { ...form, sampler: { __type__: "update", choices, value } }; // as Gradio's own gr.update
  }

  return {
    ...base,
    reuse,

    async restore(kept, ...values) {
      const form = named(await base.restore(kept, ...values));
      if (!form.model) form.model = (await known).keys().next().value;
      return changes(named(values), await suited(form));
    },

    fill: filler(async (form, wished) => {
      if ("width" in wished) form.size = presetOf(form);
      shown?.(form);
      return "model" in wished || "sampler" in wished ? suited(form) : form;
    }),

    /** Another model: its own steps, guidance, sampler and sizes. */
    async model(...values) {
      const before = named(values);
      return changes(before, await suited({ ...before, ...wishes(await modelOf(before.model), before.size) }));
    },

    async size(...values) {
      const before = named(values);
      const { width = before.width, height = before.height } = wishes(await modelOf(before.model), before.size);
      return changes(before, { ...before, width, height });
    },
  };
}

/** The seed of the newest picture, to draw it again with other settings. */
function reuse(seed) {
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
export function fit({ width, height, factor }, ratio, fine = GRID) {
  const grid = Math.max(fine, factor);
  const side = (length) => Math.max(grid, Math.round(length / grid) * grid);
  return [side(Math.sqrt(width * height * ratio)), side(Math.sqrt((width * height) / ratio))];
}

const presetOf = ({ width, height, size }) => (size in RATIOS && Math.abs(width / height - RATIOS[size]) < 0.01 ? size : width === height ? "square" : "free");
