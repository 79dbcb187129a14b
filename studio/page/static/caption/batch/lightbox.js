// One picture of a batch, large, with its words to be changed in place; arrows walk through the batch, page by page.

import { note } from "../../core/toast.js";
import { picture } from "../../core/api.js";
import { agreement } from "../agreement.js";
import { PAGE, act, look, state, turn, unlook } from "./state.js";
import { heat, spoken } from "../heatmap.js";
import { closer } from "../inspect.js";
import { button, el } from "../../core/dom.js";
import { icon } from "../../core/icons.js";
import { invalid, number, t } from "../../core/i18n.js";

const OPEN = ["new", "done", "kept", "failed"]; // those whose words can be written

export function large(first) {
  const dialog = el("dialog.lightbox.batch-large", { "aria-label": t("caption.batch") });
  const view = { batch: state.id, item: first, at: placeOf(first), field: null, dialog };
  const show = (writing = false) => {
    dialog.replaceChildren(...content(view, go));
    (writing && view.field ? view.field : dialog.querySelector(".close")).focus();
  };
  const go = async (way, writing = false) => {
    await save(view);
    const next = await neighbour(view, way);
    if (!next) return;
    Object.assign(view, { item: next, at: placeOf(next) });
    show(writing);
  };
  dialog.onkeydown = (event) => {
    const writing = event.target === view.field;
    const way = writing ? { PageUp: -1, PageDown: 1 }[event.key] : event.target.matches("input, select") ? 0 : { ArrowLeft: -1, ArrowRight: 1, PageUp: -1, PageDown: 1 }[event.key];
    if (way) return event.preventDefault(), go(way, writing);
    if (writing && event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.preventDefault(), save(view);
    if (!writing && event.key === "Enter" && event.target === dialog.querySelector(".close") && view.field) event.preventDefault(), view.field.focus();
    if (writing && event.key === "Escape") event.preventDefault(), event.stopPropagation(), (view.field.value = view.item.text ?? ""), dialog.querySelector(".close").focus();
  };
  const heard = () => follow(view);
  dialog.onclick = (event) => void (event.target === dialog && dialog.close()); // false would stop links and forms
  dialog.onclose = () => (save(view), unlook(heard), dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  show();
  look(heard);
}

const placeOf = (item) => state.items.findIndex((one) => one.number === item.number);

/** The next one in this direction, on the next page if need be. */
async function neighbour(view, way) {
  const here = placeOf(view.item);
  const at = here < 0 ? view.at : here + way; // where it is no longer listed, the next has come to its place
  if (state.items[at]) return state.items[at];
  const offset = state.offset + way * PAGE;
  if (offset < 0 || offset >= state.found) return null;
  await turn({ offset });
  return state.items[way > 0 ? 0 : state.items.length - 1];
}

function content(view, go) {
  const { item } = view;
  const shown = el("div.shown", {}, item.picture ? el("img", { src: item.picture, alt: item.text ?? "" }) : icon("missing", 48));
  const arrow = (name, way) => button(`arrow.${name}`, { title: t(way < 0 ? "act.previous" : "act.next"), "aria-label": t(way < 0 ? "act.previous" : "act.next"), onclick: () => go(way) }, icon(name, 24));
  return [
    el("div.view", {}, arrow("left", -1), el("div.picture", {}, shown), arrow("right", 1)),
    el("aside.about", { "aria-label": item.name }, ...about(view, shown)),
    button("tool.close", { title: t("act.close"), "aria-label": t("act.close"), onclick: () => view.dialog.close() }, icon("close")),
  ];
}

function about(view, shown) {
  const { item } = view;
  const map = item.picture ? heat(shown, sha(item)) : null;
  view.told = el("div.told", {});
  view.map = map;
  view.field = null;
  const place = t("caption.large.place", { n: number(state.offset + placeOf(item) + 1), total: number(state.found) });
  const open = item.picture && OPEN.includes(item.status);
  if (open) view.field = el("textarea", { rows: 5, value: item.text ?? "", placeholder: t("caption.none"), "aria-label": `${t("caption.edit.label")}: ${item.name}`, dir: "auto", "data-own-keys": "", onblur: () => save(view) });
  tell(view);
  return [
    el("div", {}, el("p.name", { title: item.name }, el("bdi", {}, item.name)), el("p.muted", {}, `${place}${item.width ? ` · ${item.width} × ${item.height}` : ""}`)),
    item.error ? el("p.problem", {}, invalid(item.error)) : null,
    view.field,
    view.field ? el("p.muted.keys", {}, t("caption.large.keys")) : null,
    view.told,
    map?.node,
    map ? closer(sha(item), map) : null,
    item.notes ? el("p.muted.notes", {}, invalid(item.notes)) : null,
  ].filter(Boolean);
}

const sha = (item) => item.sha256;

/** How well the words agree, and the words themselves, phrase by phrase. */
async function tell(view) {
  const { item, told, map } = view;
  if (item.text === null || item.text === "") return told.replaceChildren();
  const score = agreement(item.score, false, item.origin);
  const words = (phrases) => el("p.text.phrases", { dir: "auto" }, spoken(item.text, phrases, map && ((text) => map.show(text))));
  told.replaceChildren(words([]), score);
  if (!item.artifact) return undefined;
  const { info } = await picture(item.artifact).catch(() => ({ info: {} }));
  const found = (info.candidates ?? []).find((one) => one.text === item.text);
  if (view.item === item && found?.phrases?.length) told.firstChild.replaceWith(words(found.phrases));
  return undefined;
}

async function save(view) {
  const { field, item } = view;
  const text = field?.value.trim();
  if (!field || text === (item.text ?? "")) return;
  view.item = { ...item, text, score: null, origin: "person" };
  tell(view);
  try {
    await act(`items/${item.number}`, { text }, "PATCH", view.batch);
  } catch (error) {
    note(error.message);
  }
}

/** What the server knows anew, without disturbing whoever writes. */
function follow(view) {
  const now = state.items.find((one) => one.number === view.item.number);
  if (!now || JSON.stringify(now) === JSON.stringify(view.item)) return;
  const writing = view.field && view.field.value.trim() !== (view.item.text ?? "");
  if (writing || now.status !== view.item.status) return;
  view.item = now;
  if (view.field && document.activeElement !== view.field) view.field.value = now.text ?? "";
  tell(view);
}
