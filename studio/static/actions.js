// What can be done with a finished picture, the same everywhere: save, reuse settings, start picture, filmstrip.

import { announce, note } from "./announce.js";
import { button, el } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";
import { open } from "./tabs.js";
import { setStartFrom } from "./start.js";

/** A finished picture, whether it comes from a job on the stage or from the gallery. */
export const fromJob = (job) => ({ ...job.artifact, created: job.ended ?? job.created, request: { ...job.request, seed: job.artifact.seed ?? job.request.seed } });

export const title = (picture) => picture.request?.prompt?.trim() || t("job.untitled");

/** Fill the form of the Image tab; fields that are not named stay as they are. */
export function fill(values) {
  dispatchEvent(new CustomEvent("triptych:fill", { detail: values }));
  open("image");
}

const FORM = ["prompt", "negative_prompt", "model", "width", "height", "sampler", "steps", "guidance_scale", "seed", "strength"];

export function reuse(request) {
  fill(Object.fromEntries(FORM.filter((name) => request[name] !== undefined && request[name] !== null).map((name) => [name, request[name]])));
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
export function saveLink(picture, kind = "tool") {
  const name = `triptych-${picture.request?.seed ?? picture.id.slice(0, 8)}.png`;
  return el(`a.${kind}`, { href: picture.url, download: name, title: t("act.save"), "aria-label": t("act.save") }, icon("save"), el("span", {}, t("act.save")));
}

export const tool = (name, text, onclick) => button("tool", { title: text, "aria-label": text, onclick }, icon(name), el("span", {}, text));

export const pictureTools = (picture) => [
  saveLink(picture),
  tool("reuse", t("act.reuse"), () => reuse(picture.request)),
  tool("start", t("act.start"), () => useAsStart(picture)),
];
