// What the form of the Compose tab asks for: what the chosen way of working does not show is not asked for.

import { ways } from "../image/modes.js";
import { missing } from "../jobs/gradio_form.js";
import { pictureRequest } from "../image/form_request.js";
import { invalid, t } from "../core/i18n.js";

const PART = ["role", "text", "picture", "weight"]; // what a card of the page keeps beside these is its own
const WEIGHING = ["gate", "image_guidance_scale", "mask_blur", "mask_padding"];

/** The values of the form as a request; sees: its model can be shown pictures. Throws an Error with the first field
 * without which this way of working is none. */
export function composition(form, sees = false) {
  const name = form.way in ways ? form.way : "free";
  const way = ways[name];
  const request = {
    ...pictureRequest(form),
    ...Object.fromEntries(WEIGHING.map((field) => [field, form[field]])),
    start_picture: null,
    parts: [...partsOf(form, way), ...likeness(form, way, sees)],
    expand: way.margins ? held(form, "expand", {}) : {},
    mask: (way.mask && form.mask) || null,
    blend: way.blend ? blendOf(form) : null,
  };
  if (name === "free" && !request.parts.length && request.prompt?.trim()) {
    // words alone are a part as well: what is made here must be seen here, and the page goes by the parts
    Object.assign(request, { parts: [{ role: "what", text: request.prompt }], prompt: "" });
  }
  request.only_masked = Boolean(request.mask && form.only_masked);
  if (way.blend) request.count = 1; // its frames are the count
  request.auto_gate = Boolean(form.auto_gate && request.parts.some((part) => part.picture && part.role !== "where"));
  const lacking = lacks(name, way, request);
  if (lacking) throw missing(lacking, t(`error.compose.${name}.${lacking}`));
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null && value !== undefined));
}

/** "" where all is there. */
function lacks(name, way, { parts, mask, expand, prompt, blend }) {
  const roles = new Set(parts.filter((part) => part.picture).map((part) => part.role));
  const needs = {
    start_picture: way.picture && !roles.has("where"),
    mask: way.mask === "must" && !mask,
    expand: way.margins && !Object.values(expand).some(Boolean),
    prompt: name === "words" && !prompt?.trim(),
    parts: (name === "free" && !parts.length) || (name === "restyle" && !roles.has("how")),
    blend: way.blend && !blend,
  };
  return Object.keys(needs).find((field) => needs[field]) ?? "";
}

/** Those of the list, and the picture that is worked on as the one that says where. */
function partsOf(form, way) {
  const parts = way.parts ? held(form, "parts", []).map(partOf) : [];
  if (way.picture && form.start_picture) parts.push({ role: "where", picture: form.start_picture });
  return parts;
}

function partOf(card) {
  if (typeof card !== "object" || card === null) throw nonsense("parts", card, `objects with ${PART.join(", ")}`);
  return Object.fromEntries(PART.filter((name) => ![null, undefined, ""].includes(card[name])).map((name) => [name, card[name]]));
}

/** The picture once more, as content: a variation may then go far from its layout. */
const likeness = ({ start_picture: picture }, way, sees) => (way.likeness && picture && sees ? [{ role: "what", picture }] : []);

/** null where the other end would be the same. */
function blendOf({ blend_prompt, blend_picture, blend_seed, at, frames }) {
  const seed = blend_seed ?? -1;
  if (!blend_prompt?.trim() && !blend_picture && seed === -1) return null;
  return { prompt: blend_prompt || "", picture: blend_picture || null, seed, at, frames };
}

/** What our own scripts have written into a hidden field. */
function held(form, name, fallback) {
  let found;
  try {
    found = JSON.parse(form[name] || "null");
  } catch {
    throw nonsense(name, form[name], "JSON");
  }
  return found && Array.isArray(found) === Array.isArray(fallback) ? found : fallback;
}

const nonsense = (field, got, allowed) => missing(field, invalid(`${field}: got ${String(got).slice(0, 40)}, allowed is ${allowed}.`));
