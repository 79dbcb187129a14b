// Words about the composition: what the chosen way does, and the caption of the picture as the prompt to change.

import { tell } from "../core/tools.js";
import { button, el, say, set } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { captionOf } from "../components/uploads.js";
import { current } from "../image/modes.js";
import { t } from "../core/i18n.js";

const hint = el("p.muted.way-hint", {});
export const composeHint = (place) => place.append(hint);
export const showHint = () => say(hint, t(`compose.way.${current()}.text`));

const words = el("span", {});
const read = button("quiet", { onclick: () => rewrite() }, icon("caption", 16), words);
const instruct = el("p.muted.instruct", {}, t("compose.reword.instruct"));
const problem = el("p.problem", { role: "alert" });
let now = { picture: "", prompt: "" };
const seen = new Set(); // pictures that were read without being asked to

export const composeReword = (place) => place.append(el("div.reword", {}, read, instruct, problem));

/** The picture is read as soon as it is there, unless there are words already. */
export function showReword({ way, start_picture: picture, prompt }) {
  now = { picture, prompt };
  set(read, { disabled: !picture });
  if (!read.dataset.busy) say(words, t(prompt?.trim() ? "compose.reword.again" : "compose.reword"));
  if (way !== "words" || !picture || prompt?.trim() || seen.has(picture)) return;
  seen.add(picture);
  if (!document.documentElement.hasAttribute("data-compose-instruct")) rewrite(true);
}

/** gently: only into an empty field. */
async function rewrite(gently = false) {
  const { picture } = now;
  say(words, t("compose.reword.busy"));
  say(problem, "");
  set(read, { "data-busy": true, disabled: true });
  try {
    const caption = await captionOf(picture);
    if (picture === now.picture && caption && !(gently && now.prompt?.trim())) tell("compose", { prompt: caption });
  } catch (error) {
    if (!gently) say(problem, error.message);
  }
  set(read, { "data-busy": null, disabled: false });
  say(words, t(now.prompt?.trim() ? "compose.reword.again" : "compose.reword"));
}
