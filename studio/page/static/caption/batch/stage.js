// A batch on the stage: how far it is, what can be done with all of it, and a page of its pictures.

import { note } from "../../core/toast.js";
import { PAGE, act, look, remove, state, turn } from "./state.js";
import { alike } from "./duplicates.js";
import { exporting, wording } from "./tools.js";
import { itemNode } from "./item.js";
import { fill } from "../../core/tools.js";
import { button, el, order, say, set } from "../../core/dom.js";
import { icon } from "../../core/icons.js";
import { duration, number, t, when } from "../../core/i18n.js";

export function batchStage(place, empty) {
  const same = alike();
  const head = heading(same.start), tools = toolbar(), pages = pager();
  const change = wording();
  const list = el("div.batch-list", {});
  const nothing = el("p.muted.nothing", { hidden: true }, t("caption.batch.nothing"));
  const whole = el("section.batch", { "aria-label": t("caption.batch") }, head.node, tools.node, change.node, same.room, list, nothing, pages.node);
  const nodes = new Map();
  place.append(whole, empty);
  let shownOf = null;
  look(() => {
    if (shownOf !== state.id) nodes.clear();
    shownOf = state.id;
    set(whole, { hidden: !state.batch });
    set(empty, { hidden: Boolean(state.id) });
    if (!state.batch) return;
    list.dataset.view = state.view;
    for (const part of [head, tools, change, same, pages]) part.update();
    order(list, state.items.map((item) => nodeOf(nodes, item)));
    set(nothing, { hidden: state.items.length > 0 || !state.batch.total });
  });
}

function nodeOf(nodes, item) {
  const known = nodes.get(item.number) ?? itemNode(item);
  nodes.set(item.number, known);
  known.update(item);
  return known.node;
}

const COUNTED = ["wanted", "asked"];
const sum = (counts, names) => names.reduce((all, name) => all + (counts[name] ?? 0), 0);

function heading(more) {
  const name = el("h2", {});
  const said = el("p.muted.said-of", { role: "status" });
  const bar = el("progress", { max: 1, "aria-label": t("job.progress") });
  const stop = button("quiet", { onclick: () => tried(act("cancel")) }, t("caption.batch.cancel"));
  const rest = button("quiet", { onclick: () => tried(act("run", {})) }, t("caption.batch.rest"));
  const away = button("tool", { title: t("caption.batch.delete"), "aria-label": t("caption.batch.delete"), onclick: () => drop() }, icon("delete"));
  const take = exporting();
  return {
    node: el("div.batch-head", {}, el("div.stage-bar", {}, name, stop, rest, take.node, away), bar, el("div.said-row", {}, said, more)),
    update() {
      const { batch } = state;
      const open = sum(batch.counts, COUNTED), good = batch.total - (batch.counts.refused ?? 0);
      say(name, batch.name || when(batch.created));
      say(said, told(batch, open, good));
      set(bar, { hidden: !batch.running });
      bar.value = good ? (good - open) / good : 0;
      set(stop, { hidden: !batch.running });
      set(rest, { hidden: batch.running || !batch.request || batch.described >= good });
      take.update();
    },
  };
}

function told(batch, open, good) {
  const parts = [t("caption.batch.described", { n: number(batch.described), total: number(good) })];
  if (batch.running) parts.push(batch.seconds_left === null ? t("caption.batch.open", { n: number(open) }) : t("left", { time: duration(batch.seconds_left) }));
  if (batch.counts.failed) parts.push(t("caption.batch.failed", { n: batch.counts.failed }));
  if (batch.counts.refused) parts.push(t("caption.batch.refused", { n: batch.counts.refused }));
  return parts.join(" · ");
}

async function drop() {
  if (!confirm(t("caption.batch.delete.sure"))) return;
  await tried(remove(state.id));
  fill("caption", { batch: "" });
}

const tried = (promise) => promise.catch((error) => note(error.message));

function toolbar() {
  const search = el("input", { type: "search", placeholder: t("caption.batch.search"), "aria-label": t("caption.batch.search") });
  let timer;
  search.oninput = () => (clearTimeout(timer), (timer = setTimeout(() => turn({ text: search.value.trim() }), 250)));
  const which = choice("which", ["all", "missing", "bad", "doubtful", "edited"], "caption.which");
  const sorted = choice("order", ["place", "name", "agreement", "state"], "caption.order");
  const views = ["grid", "table"].map((view) => button("tool", { "data-of": view, title: t(`caption.view.${view}`), "aria-label": t(`caption.view.${view}`), onclick: () => turn({ view, offset: state.offset }) }, icon(view === "grid" ? "gallery" : "queue")));
  return {
    node: el("div.batch-tools", {}, search, which, sorted, el("div.views", { role: "group" }, views)),
    update() {
      which.value = state.which;
      sorted.value = state.order;
      if (document.activeElement !== search) search.value = state.text;
      for (const view of views) set(view, { "aria-pressed": String(view.dataset.of === state.view) });
    },
  };
}

function choice(name, values, key) {
  const node = el("select", { "aria-label": t(key) }, values.map((value) => el("option", { value }, t(`${key}.${value}`))));
  node.onchange = () => turn({ [name]: node.value });
  return node;
}

function pager() {
  const go = (way) => () => turn({ offset: Math.max(0, state.offset + way * PAGE) }).then(() => document.querySelector(".batch")?.scrollIntoView({ block: "start" }));
  const back = button("quiet", { onclick: go(-1) }, t("caption.page.back"));
  const on = button("quiet", { onclick: go(1) }, t("caption.page.on"));
  const said = el("span.muted", {});
  const node = el("nav.pager", { "aria-label": t("caption.pages") }, back, said, on);
  return {
    node,
    update() {
      const last = Math.min(state.offset + PAGE, state.found);
      set(node, { hidden: state.found <= PAGE });
      set(back, { disabled: !state.offset });
      set(on, { disabled: last >= state.found });
      say(said, t("caption.page", { from: number(state.offset + 1), to: number(last), n: number(state.found) }));
    },
  };
}
