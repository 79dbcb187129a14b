// One artifact large, everything known about it beside it, and arrows to the next. What it looks like: see kinds.js.

import { tool } from "../core/tools.js";
import { button, el } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { infoList } from "./details.js";
import { title, toolsOf, viewOf } from "./kinds.js";
import { t } from "../core/i18n.js";

/** items: what the arrows walk through; options: begin (the extra at once), ondelete(item), more() -> a promise of the longer list */
export function lightbox(items, index, options = {}) {
  const dialog = el("dialog.lightbox", { "aria-label": t("tab.gallery") });
  const go = (way) => show(Math.min(items.length - 1, Math.max(0, index + way)));
  const show = (next, begin = false) => {
    if (next >= items.length - 3) options.more?.().then((longer) => (items = longer));
    index = next;
    dialog.replaceChildren(...content(items[index], { dialog, go, options, first: !index, last: index === items.length - 1, begin }));
    dialog.querySelector(".close").focus();
  };
  dialog.onkeydown = (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (way && !event.target.matches("audio, input, textarea, select")) go(way);
  };
  dialog.onclick = (event) => void (event.target === dialog && dialog.close()); // false would stop links and forms
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  show(index, options.begin);
}

function content(item, { dialog, go, options, first, last, begin }) {
  const view = viewOf(item);
  const extra = view.extra?.(item);
  if (begin) extra?.begin();
  const arrow = (name, way, off) =>
    button(`arrow.${name}`, { disabled: off, title: t(way < 0 ? "act.previous" : "act.next"), "aria-label": t(way < 0 ? "act.previous" : "act.next"), onclick: () => go(way) }, icon(name, 24));
  const tools = el("div.tools", {}, closing(toolsOf(item, () => extra?.begin()), dialog));
  if (options.ondelete) tools.append(tool("delete", t("act.delete"), () => (dialog.close(), options.ondelete(item))));
  return [
    el("div.view", { "data-kind": item.kind }, arrow("left", -1, first), el("div.picture", {}, item.missing ? el("p.problem", { role: "alert" }, t("gallery.missing.text")) : view.large(item)), arrow("right", 1, last), extra?.node),
    el("aside.about", { "aria-label": title(item) }, infoList(item), tools),
    button("tool.close", { title: t("act.close"), "aria-label": t("act.close"), onclick: () => dialog.close() }, icon("close")),
  ];
}

/** What leads to another tab closes the dialog that stands before it; what has `data-stays` does its work in it. */
function closing(tools, dialog) {
  for (const node of tools) if (node.tagName === "BUTTON" && !("stays" in node.dataset)) node.addEventListener("click", () => dialog.close());
  return tools;
}
