// Cancel: one job, or the newest of one's own.

import { act } from "../core/api.js";
import { note } from "../core/toast.js";
import { button, set } from "../core/dom.js";
import { changes, isLive, mine } from "./live.js";
import { t } from "../core/i18n.js";

export const cancel = (id) => act(id, "cancel").catch((error) => note(error.message));

const newest = () => mine().find((job) => isLive(job) && !job.request.filmstrip);

export function cancelNewest() {
  const job = newest();
  if (job) cancel(job.id);
}

/** The quiet button beside Generate. */
export function cancelButton(place, { id = "cancel-newest" } = {}) {
  const node = button("quiet", { id, onclick: cancelNewest, title: `${t("cancel.newest")} (Esc)` }, t("cancel"));
  const show = () => set(node, { disabled: !newest() });
  changes.addEventListener("jobs", show);
  show();
  place.append(node);
}
