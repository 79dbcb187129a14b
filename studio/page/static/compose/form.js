// The form of the Compose tab: what a way of working, a picture, a model does to its fields. The list of parts, the
// pictures and the margins are drawn by other files; they tell of changes here, through `fill("compose", …)`.

import { arranged, showMargins } from "./margins.js";
import { draw, partsNow, showBlind, showParts } from "./parts.js";
import { showOther, showPicture } from "./picture.js";
import { showHint, showReword } from "./hints.js";
import { composition } from "./request.js";
import { ways } from "../image/modes.js";
import { imageForm, modelOf } from "../image/fields.js";
import { t } from "../core/i18n.js";

const base = imageForm("compose", (form) => {
  look(form);
  draw(); // the list of parts has its own ears, see `composeParts`
});
const { named, changes } = base;
export const { offer, settle, fill, model, size, reuse } = base;

/** Also called at each change: what is shown beside the fields follows them. */
export function keep(kept, ...values) {
  look(named(values));
  return base.keep(kept, ...values);
}

export async function restore(...values) {
  const result = await base.restore(...values);
  const { parts } = named(result);
  if (typeof parts === "string") showParts(parts);
  return result;
}

/** The list of parts may have been typed in a moment ago. */
export const run = base.asks(async (form) => composition({ ...form, parts: partsNow() }, (await modelOf(form.model))?.image_prompts));

/** Another way of working: its own first values; the picture that is worked on and the one that says where are one. */
export async function way(...values) {
  const before = named(values);
  const form = { ...before };
  const parts = JSON.parse(partsNow());
  const place = parts.find((part) => part.role === "where" && part.picture);
  Object.assign(form, ways[form.way]?.fresh, { parts: JSON.stringify(parts) });
  if (ways[form.way]?.picture && place) {
    Object.assign(form, { start_picture: form.start_picture || place.picture, parts: JSON.stringify(parts.filter((part) => part !== place)) });
  } else if (form.way === "free" && form.start_picture && !place) {
    Object.assign(form, { start_picture: "", mask: "", parts: JSON.stringify([...parts, { role: "where", picture: form.start_picture, weight: 1 }]) });
  }
  look(form);
  showParts(form.parts);
  const size = await arranged(form).catch(() => ({}));
  return changes(before, { ...form, ...size, parts: partsNow() }); // a picture may have arrived meanwhile
}

/** Attributes of the page by which the style shows what belongs to this composition, and nothing else. */
function look(form) {
  const page = document.documentElement;
  const way = ways[form.way] ?? ways.free;
  const parts = way.parts ? JSON.parse(form.parts || "[]") : [];
  const place = parts.some((part) => part.role === "where" && part.picture);
  page.dataset.compose = form.way in ways ? form.way : "free";
  page.toggleAttribute("data-compose-gate", parts.some((part) => part.picture && part.role !== "where"));
  page.toggleAttribute("data-compose-start", Boolean(way.picture || place));
  page.toggleAttribute("data-compose-mask", Boolean(way.mask && form.mask));
  page.toggleAttribute("data-compose-strip", form.frames > 1);
  page.style.setProperty("--gate-text", JSON.stringify(t("compose.gate.text")));
  page.style.setProperty("--gate-pictures", JSON.stringify(t("compose.gate.pictures")));
  modelOf(form.model).then((model) => {
    page.toggleAttribute("data-compose-instruct", model?.inputs === "instruct");
    showBlind(model);
  });
  showHint();
  showPicture(form);
  showMargins(form);
  showOther(form.blend_picture);
  showReword(form);
}
