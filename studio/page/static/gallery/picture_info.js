// What is known about a picture, and reading it back out of a file that somebody drops.

import { readInfo, sentence } from "../core/api.js";
import { reuse } from "../image/actions.js";
import { button, el } from "../core/dom.js";
import { dropZone } from "../components/dropzone.js";
import { t } from "../core/i18n.js";
import { infoList } from "../jobs/details.js";

/** Drop a picture of ours, of AUTOMATIC1111 or of ComfyUI: its settings are shown, and can be used. */
export function infoReader() {
  const shown = el("div.info-result", { "aria-live": "polite" });
  const read = async (file) => {
    try {
      shown.replaceChildren(...result(await readInfo(file), file));
    } catch (error) {
      shown.replaceChildren(el("p.problem", { role: "alert" }, error.message));
    }
  };
  return el("section.reader", {}, el("h2", {}, t("info.drop")), dropZone({ text: t("info.drop.hint"), onfile: read, glyph: "search" }), shown);
}

function result({ source, fields, notes = [], raw }, file) {
  const image = el("img", { src: URL.createObjectURL(file), alt: fields?.prompt ?? "", onload: (event) => URL.revokeObjectURL(event.target.src) });
  const usable = fields && Object.keys(fields).length > 0;
  if (!usable && !raw) return [image, el("p.muted", {}, t("info.none"))];
  return [
    image,
    usable ? button("primary", { onclick: () => reuse(fields) }, t("info.send")) : null,
    usable ? infoList({ kind: "image", request: fields }) : null,
    ...notes.map((text) => el("p.muted", {}, sentence("invalid", text))),
    source ? el("p.muted", {}, `${t("info.source")} ${source}`) : null,
    raw ? el("details", {}, el("summary", {}, t("info.raw")), el("pre", {}, raw)) : null,
  ].filter(Boolean);
}
