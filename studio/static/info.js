// What is known about a picture, and reading it back out of a file that somebody drops.

import { readInfo } from "./api.js";
import { announce } from "./announce.js";
import { reuse } from "./actions.js";
import { button, el } from "./dom.js";
import { dropZone } from "./drop.js";
import { icon } from "./icons.js";
import { t, when } from "./words.js";

const ROWS = ["negative_prompt", "model", "size", "sampler", "steps", "guidance_scale", "seed", "strength", "created"];

export function infoList(picture) {
  const about = { ...picture.request };
  if (picture.width ?? about.width) about.size = `${picture.width ?? about.width} × ${picture.height ?? about.height}`;
  about.created = picture.created ? when(picture.created) : null;
  if (!about.start_picture) delete about.strength;
  const rows = ROWS.filter((name) => about[name] !== undefined && about[name] !== null && about[name] !== "");
  return el("div.info", {},
    about.prompt ? [el("p.prompt", {}, about.prompt), copy(about.prompt)] : null,
    el("dl", {}, rows.map((name) => el("div", {}, el("dt", {}, t(`info.${name}`)), el("dd", {}, String(about[name]))))),
  );
}

function copy(text) {
  const node = button("link", { onclick: () => navigator.clipboard?.writeText(text).then(() => (announce(t("act.copied")), node.lastChild.replaceWith(t("act.copied")))) }, icon("copy", 16), t("act.copy"));
  return node;
}

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
    usable ? infoList({ request: fields }) : null,
    ...notes.map((text) => el("p.muted", {}, text)),
    source ? el("p.muted", {}, `${t("info.source")} ${source}`) : null,
    raw ? el("details", {}, el("summary", {}, t("info.raw")), el("pre", {}, raw)) : null,
  ].filter(Boolean);
}
