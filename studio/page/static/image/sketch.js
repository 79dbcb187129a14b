// A picture in a few steps while one types, under the prompt. It is nobody's job until it is kept.

import { sketched, submit } from "../core/api.js";
import { note } from "../core/toast.js";
import { button, el, say, set } from "../core/dom.js";
import { modelOf } from "./fields.js";
import { t } from "../core/i18n.js";

const KEY = "triptych.sketch";
const PAUSE = 250; // milliseconds without a change
const seed = Math.floor(Math.random() * 2 ** 31); // one for the page: words change the picture, not chance

const box = el("input", { type: "checkbox", id: "sketch-on" });
const image = el("img", {});
const time = el("span.muted", {});
const said = el("p.muted.sketch-said", { role: "status" });
const keep = button("quiet", { onclick: () => keepIt() }, t("sketch.keep"));
const shown = el("div.sketch-shown", { hidden: true }, image, el("div.sketch-side", {}, time, keep));
let form = null; // the newest values of the form
let drawn = null; // the request of the picture that is shown
let tried = ""; // the newest request, whatever came of it, as JSON: the same again would end the same way
let timer = 0;
let busy = false;

export function sketch(place) {
  box.checked = localStorage.getItem(KEY) === "on";
  box.onchange = () => (localStorage.setItem(KEY, box.checked ? "on" : "off"), later());
  place.append(el("label.check", { title: t("sketch.info") }, box, t("sketch.title")), shown, said);
  place.hidden = true; // until there is a model that can
  later();
}

/** The form of the Image tab has these values now. */
export function sketchOf(values) {
  form = values;
  later();
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(draw, PAUSE);
}

async function draw() {
  const quick = form && (await quickOf(form.model));
  const place = box.closest("#sketch");
  if (place) place.hidden = !quick;
  const request = quick && box.checked ? requestOf(quick) : null;
  set(shown, { hidden: !request || !image.src });
  if (!request || busy || JSON.stringify(request) === tried) return;
  busy = true;
  tried = JSON.stringify(request);
  try {
    await show(request);
  } catch (error) {
    say(said, error.message);
  }
  busy = false;
  draw(); // whatever was typed meanwhile
}

async function show(request) {
  const begin = performance.now();
  const url = URL.createObjectURL(await sketched(request));
  URL.revokeObjectURL(image.src);
  drawn = request;
  say(said, "");
  say(time, t("time.seconds", { n: ((performance.now() - begin) / 1000).toFixed(1) }));
  set(image, { src: url, alt: request.prompt });
  set(shown, { hidden: !box.checked });
}

/** What draws the sketches of a model: its fast variant, else itself where a few steps are enough; undefined: nothing. */
async function quickOf(id) {
  const [fast, own] = [await modelOf(`${id}-fast`), await modelOf(id)];
  return fast ?? (own?.sketch_steps ? own : undefined);
}

function requestOf({ id, sketch_steps: steps, guidance_scale, sampler, width, height }) {
  const prompt = form.prompt?.trim();
  if (!prompt) return null;
  const size = form.width > 0 && form.height > 0 && form.width * form.height <= width * height;
  return {
    kind: "image", model: id, prompt, steps, guidance_scale, sampler, seed: form.seed >= 0 ? form.seed : seed,
    width: size ? form.width : width, height: size ? form.height : height,
  };
}

/** As a job of one's own it is drawn again, exactly so, and comes onto the stage and into the gallery. */
const keepIt = () => drawn && submit(drawn).catch((error) => note(error.message));
