// What can be done with what is finished, the same everywhere: save, reuse settings, start picture.

import { announce, note } from "./announce.js";
import { composed, formOfRequest } from "./compose_request.js";
import { button, el } from "./dom.js";
import { icon } from "./icons.js";
import { open } from "./tabs.js";
import { setStartFrom } from "./start.js";
import { t } from "./words.js";

/** Fill the form of a tab; fields that are not named stay as they are. */
export const tell = (form, values) => void dispatchEvent(new CustomEvent("triptych:fill", { detail: { form, values } }));

/** The same, and show it. */
export function fill(form, values) {
  tell(form, values);
  open(form);
}

const FORM = ["prompt", "negative_prompt", "model", "width", "height", "sampler", "steps", "guidance_scale", "seed", "strength"];

export function reuse(request) {
  const known = FORM.filter((name) => request[name] !== undefined && request[name] !== null);
  if (composed(request)) fill("compose", formOfRequest(request));
  else fill("image", Object.fromEntries(known.map((name) => [name, request[name]])));
  announce(t("act.reused"));
  note(t("act.reused"));
}

export async function useAsStart(picture) {
  open("image");
  try {
    await setStartFrom(picture.url);
    note(t("start.set"));
  } catch (error) {
    note(error.message);
  }
}

/** A link rather than a script: the browser's own download, under a name that says what it is. */
export function saveLink(item, name, kind = "tool") {
  return el(`a.${kind}`, { href: item.url, download: name, title: t("act.save"), "aria-label": t("act.save") }, icon("save"), el("span", {}, t("act.save")));
}

/** An icon on a tile, an icon with its words in the lightbox. */
export const tool = (name, text, onclick, more = {}) => button("tool", { title: text, "aria-label": text, onclick, ...more }, icon(name), el("span", {}, text));
