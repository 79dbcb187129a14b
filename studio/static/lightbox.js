// One picture large, everything known about it beside it, and arrows to the next.

import { pictureTools, title, tool } from "./actions.js";
import { filmstrip } from "./filmstrip.js";
import { button, el } from "./dom.js";
import { icon } from "./icons.js";
import { infoList } from "./info.js";
import { t } from "./words.js";


const LARGEST = 3;

/** pictures: what the arrows walk through; options: filmstrip (begin one at once), ondelete(picture), more() -> a promise of the longer list */
export function lightbox(pictures, index, options = {}) {
  const dialog = el("dialog.lightbox", { "aria-label": t("tab.gallery") });
  const go = (way) => show(Math.min(pictures.length - 1, Math.max(0, index + way)));
  const show = (next, begin = false) => {
    if (next >= pictures.length - 3) options.more?.().then((longer) => (pictures = longer));
    index = next;
    dialog.replaceChildren(...content(pictures[index], { dialog, go, options, first: !index, last: index === pictures.length - 1, begin }));
    dialog.querySelector(".close").focus();
  };
  dialog.onkeydown = (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (way) go(way);
  };
  dialog.onclick = (event) => event.target === dialog && dialog.close();
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  show(index, options.filmstrip);
}

function content(picture, { dialog, go, options, first, last, begin }) {
  const strip = filmstrip(picture);
  if (begin) strip.begin();
  const arrow = (name, way, off) =>
    button(`arrow.${name}`, { disabled: off, title: t(way < 0 ? "act.previous" : "act.next"), "aria-label": t(way < 0 ? "act.previous" : "act.next"), onclick: () => go(way) }, icon(name, 24));
  const image = el("img", { src: picture.url, alt: title(picture), width: picture.width, height: picture.height });
  image.style.maxWidth = `${picture.width * LARGEST}px`; // further enlarged it would only blur
  image.style.maxHeight = `${picture.height * LARGEST}px`;
  const tools = el("div.tools", {}, closing(pictureTools(picture), dialog), tool("filmstrip", t("act.filmstrip"), strip.begin));
  if (options.ondelete) tools.append(tool("delete", t("act.delete"), () => (dialog.close(), options.ondelete(picture))));
  return [
    el("div.view", {}, arrow("left", -1, first), el("div.picture", {}, image), arrow("right", 1, last), strip.node),
    el("aside.about", {}, infoList(picture), tools),
    button("tool.close", { title: t("act.close"), "aria-label": t("act.close"), onclick: () => dialog.close() }, icon("close")),
  ];
}

/** What leads to the Image tab closes the dialog that stands before it. */
function closing(tools, dialog) {
  for (const node of tools) if (node.tagName === "BUTTON") node.addEventListener("click", () => dialog.close());
  return tools;
}
