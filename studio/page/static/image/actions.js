// What can be done with what is finished, the same everywhere: save, reuse settings, start picture.

import { announce, note } from "../core/toast.js";
import { composed, formOfRequest } from "./request.js";
import { open } from "../core/router.js";
import { setStartFrom } from "./start_picture.js";
import { t } from "../core/i18n.js";
import { fill } from "../core/tools.js";

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
