// The stage of the Compose tab: the ways of working while it is empty, then compositions; a blend as a strip.

import { tool } from "../core/tools.js";
import { composed } from "../image/request.js";
import { useInComposition } from "./picture.js";
import { ways } from "../image/modes.js";
import { button, el } from "../core/dom.js";
import { offer } from "../jobs/kinds.js";
import { stage } from "../jobs/stage.js";
import { t } from "../core/i18n.js";

export const composeStage = (place) =>
  stage(place, { kinds: ["image"], where: (job) => composed(job.request), strip, heading: t("compose.stage"), empty: choices() });

/** The frames of one blend belong together, in their order. */
const strip = (job) => (job.request.blend && job.request.group ? job.request.group : "");

/** Every picture can become a part, or the one to work on. */
export const offerComposing = () => offer("image", (item) => tool("compose", t("act.compose"), () => useInComposition(item.url)));

function choices() {
  const cards = Object.keys(ways).map((way) => button("way-card", { "data-way": way, onclick: () => choose(way) }, el("i.way-sign", { "aria-hidden": "true" }), el("strong", {}, t(`compose.way.${way}`)), el("span", {}, t(`compose.way.${way}.text`))));
  return el("section.empty", {}, el("h2", {}, t("compose.empty")), el("p.muted", {}, t("compose.empty.text")), el("div.way-cards", {}, cards));
}

/** As a click on the choice in the form: its fields get the values that suit. */
function choose(way) {
  const choice = document.querySelector(`#compose-way input[value="${way}"]`);
  choice?.click();
  choice?.closest(".fields").scrollIntoView({ block: "start" });
}
