// The stage of the Caption tab.

import { tool } from "../core/tools.js";
import { note } from "../core/toast.js";
import { batchStage } from "./batch/stage.js";
import { describeThis } from "./source.js";
import { el } from "../core/dom.js";
import { offer } from "../jobs/kinds.js";
import { stage } from "../jobs/stage.js";
import { t } from "../core/i18n.js";

export function captionStage(place) {
  const one = el("div.captions-one", {});
  const many = el("div.captions-many", {});
  place.append(one, many);
  stage(one, { kinds: ["caption"], where: (job) => !job.request.batch, heading: t("caption.stage"), empty: inviting("caption.empty") });
  batchStage(many, inviting("caption.empty.many"));
}

/** Every picture can be described. */
export const offerCaptions = () => offer("image", (item) => tool("caption", t("act.caption"), () => describeThis(item.url).catch((error) => note(error.message))));

const inviting = (key) => el("section.empty", {}, el("h2", {}, t(key)), el("p.muted", {}, t(`${key}.text`)));
