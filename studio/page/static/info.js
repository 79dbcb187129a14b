// What is known about a picture, and reading it back out of a file that somebody drops.

import { readInfo, sentence } from "./core/api.js";
import { announce } from "./core/toast.js";
import { reuse } from "./actions.js";
import { button, el } from "./core/dom.js";
import { dropZone } from "./components/dropzone.js";
import { icon } from "./core/icons.js";
import { viewOf } from "./kinds.js";
import { t, when, wordOf } from "./core/i18n.js";

/** The words that it was asked with, and its settings. */
export function infoList(item) {
  const words = item.request?.prompt || item.request?.text || item.request?.question;
  const rows = viewOf(item).rows(item).concat(item.created ? [[t("info.created"), when(item.created), "created"]] : []);
  const given = rows.filter(([, value]) => value !== undefined && value !== null && value !== false && value !== "");
  return el("div.info", {},
    words ? [el("p.prompt", {}, words), copy(words, item.kind)] : null,
    viewOf(item).under?.(item),
    el("dl", {}, given.map(([label, value, name]) => el("div", { "data-name": name }, el("dt", {}, label), el("dd", {}, String(value), name === "seed" ? copySeed(value) : null)))),
  );
}

const toClipboard = (text) => navigator.clipboard?.writeText(String(text)).then(() => announce(t("act.copied")));

function copy(text, kind) {
  const node = button("link", { onclick: () => toClipboard(text)?.then(() => node.lastChild.replaceWith(t("act.copied"))) }, icon("copy", 16), wordOf("act.copy", kind));
  return node;
}

function copySeed(seed) {
  const node = button("tool.small", { title: t("act.copy.seed"), "aria-label": t("act.copy.seed"), onclick: () => toClipboard(seed)?.then(() => node.firstChild.replaceWith(icon("check", 14))) }, icon("copy", 14));
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
    usable ? infoList({ kind: "image", request: fields }) : null,
    ...notes.map((text) => el("p.muted", {}, sentence("invalid", text))),
    source ? el("p.muted", {}, `${t("info.source")} ${source}`) : null,
    raw ? el("details", {}, el("summary", {}, t("info.raw")), el("pre", {}, raw)) : null,
  ].filter(Boolean);
}
