// The kind "caption": the picture and its words, how well they agree, what else could be said of it.

import { fill, saveLink, tool } from "../core/tools.js";
import { button, el } from "../core/dom.js";
import { described } from "./text.js";
import { t } from "../core/i18n.js";

export const caption = {
  title: (request, thing) => textOf(thing) || request.question || request.name || t("caption.untitled"),
  ratio: () => "",
  live,
  done,
  tools,
  card,
  large,
  rows,
};

/** The words of a job, or of an item of stage or gallery. */
export const textOf = (thing) => thing?.artifact?.info?.caption ?? thing?.info?.caption ?? (thing?.job ? thing.prompt : "") ?? "";

function live(job) {
  const image = el("img", { src: `/api/uploads/${job.request.picture}`, alt: "", onerror: (event) => event.target.remove() });
  const asked = job.request.question ? el("p.question", {}, job.request.question) : null;
  return { node: el("div.described", {}, el("div.shown", {}, image), el("div.words", {}, asked)), update() {} };
}

function done(item, open) {
  const image = el("img", { src: item.thumb, alt: textOf(item), decoding: "async", width: item.width, height: item.height });
  image.ondragstart = (event) => event.dataTransfer.setData("text/uri-list", image.src);
  const shown = button("open.shown", { onclick: open, "aria-label": t("act.open", { prompt: caption.title(item.request, item) }) }, image);
  return [el("div.described", {}, shown, described(item, shown))];
}

function tools(item) {
  const { request } = item;
  return [
    saveLink(item, fileName(item)),
    request.question ? null : tool("image", t("caption.draw"), () => fill("image", { prompt: textOf(item) })),
  ].filter(Boolean);
}

const fileName = ({ request, id }) => `${(request.name || `triptych-${id.slice(0, 8)}`).replace(/^.*[\\/]|\.\w+$/g, "") || "caption"}.txt`;

function card(item) {
  return [el("img", { src: item.thumb, alt: "", loading: "lazy", decoding: "async" }), el("span.card-words", {}, textOf(item))];
}

function large(item) {
  const shown = el("div.shown", {}, el("img", { src: item.thumb, alt: textOf(item) }));
  return el("div.described.large", {}, shown, described(item, shown));
}

function rows(item) {
  const about = { ...item.request, size: item.width ? `${item.width} × ${item.height}` : "" };
  if (about.style) about.style = t(`caption.style.${about.style}`);
  return ["question", "style", "model", "size", "candidates"].map((name) => [name === "candidates" ? t("caption.candidates") : t(`info.${name}`), about[name], name]);
}
