// What a form is filled with from elsewhere, and the small buttons on what is finished.

import { button, el } from "./dom.js";
import { icon } from "./icons.js";
import { open } from "./router.js";
import { t } from "./i18n.js";

/** Fill the form of a tab; fields that are not named stay as they are. */
export const tell = (form, values) => void dispatchEvent(new CustomEvent("triptych:fill", { detail: { form, values } }));

/** The same, and show it. */
export function fill(form, values) {
  tell(form, values);
  open(form);
}

/** A link rather than a script: the browser's own download, under a name that says what it is. */
export function saveLink(item, name, kind = "tool") {
  return el(`a.${kind}`, { href: item.url, download: name, title: t("act.save"), "aria-label": t("act.save") }, icon("save"), el("span", {}, t("act.save")));
}

/** An icon on a tile, an icon with its words in the lightbox. */
export const tool = (name, text, onclick, more = {}) => button("tool", { title: text, "aria-label": text, onclick, ...more }, icon(name), el("span", {}, text));
