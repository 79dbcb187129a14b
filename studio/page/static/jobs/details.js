// What is known about an artifact: its words and its settings, each to be copied.

import { announce } from "../core/toast.js";
import { button, el } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { viewOf } from "./kinds.js";
import { t, when, wordOf } from "../core/i18n.js";

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
