// Near-duplicates of a batch: found while one waits, shown in groups, and all but one of each left out with one click.

import { note } from "../../core/toast.js";
import { ask, post } from "../../core/api.js";
import { act, state } from "./state.js";
import { button, el, set } from "../../core/dom.js";
import { icon } from "../../core/icons.js";
import { invalid, t } from "../../core/i18n.js";

const PAGE = 100; // items of one answer of the server

export function alike() {
  const said = el("p.muted", { role: "status" });
  const list = el("div.alike-groups", {});
  const leave = button("primary", { hidden: true }, "");
  const close = button("tool", { title: t("act.close"), "aria-label": t("act.close") }, icon("close", 16));
  const room = el("section.alike", { hidden: true, "aria-label": t("caption.alike") }, el("div.alike-head", {}, said, leave, close), list);
  const start = button("link", {}, icon("copy", 16), t("caption.alike.find"));
  const view = { of: null, turn: 0, groups: [] };

  const stop = () => {
    view.turn += 1;
    set(room, { hidden: true });
    list.replaceChildren();
  };
  const draw = () => {
    const others = view.groups.reduce((sum, group) => sum + group.length - 1, 0);
    said.textContent = others ? t("caption.alike.found", { groups: view.groups.length, n: others }) : t("caption.alike.nothing");
    set(leave, { hidden: !others, textContent: t("caption.alike.leave", { n: others }) });
    list.replaceChildren(...view.groups.map((group) => groupNode(group, draw)));
  };
  const find = async () => {
    const mine = ++view.turn;
    const id = (view.of = state.id);
    set(room, { hidden: false });
    set(leave, { hidden: true });
    list.replaceChildren();
    said.textContent = t("caption.alike.looking", { seen: 0, total: state.batch.total });
    try {
      for (;;) {
        const answer = await post(`/api/batches/${id}/alike`);
        if (mine !== view.turn) return;
        said.textContent = t("caption.alike.looking", answer);
        if (answer.seen < answer.total) continue;
        const items = answer.groups.length ? await every(id) : new Map();
        if (mine !== view.turn) return;
        view.groups = answer.groups.map((group) => group.map((number) => items.get(number)).filter(Boolean));
        return draw();
      }
    } catch (error) {
      if (mine === view.turn) said.replaceChildren(el("span.problem", {}, invalid(error.message)));
    }
  };
  leave.onclick = async () => {
    try {
      const groups = view.groups.map((group) => group.map((item) => item.number));
      const gone = groups.flatMap((group) => group.slice(1));
      const of = view.of;
      const { changed } = await act("leave", { groups }, "POST", of);
      stop();
      note(t("caption.alike.left", { n: changed }), { text: t("caption.undo"), run: () => act("back", { numbers: gone }, "POST", of).catch((error) => note(error.message)) }, 10);
    } catch (error) {
      note(error.message);
    }
  };
  start.onclick = find;
  close.onclick = stop;
  return {
    start,
    room,
    update() {
      if (view.of && view.of !== state.id) stop();
      set(start, { hidden: state.batch.total - (state.batch.counts.refused ?? 0) < 2 });
    },
  };
}

/** All items of a batch by their number. */
async function every(id) {
  const items = new Map();
  for (let offset = 0; ; offset += PAGE) {
    const page = await ask(`/api/batches/${id}/items?${new URLSearchParams({ offset, limit: PAGE })}`);
    for (const item of page.items) items.set(item.number, item);
    if (offset + PAGE >= page.found) return items;
  }
}

/** The first stays; a click on another one makes that the first. */
function groupNode(group, draw) {
  const choose = (at) => {
    group.unshift(...group.splice(at, 1));
    draw();
  };
  return el("div.alike-group", { role: "radiogroup", "aria-label": t("caption.alike.group") }, group.map((item, at) =>
    button("alike-one", { role: "radio", "aria-checked": String(!at), "aria-label": item.name, title: item.name, onclick: () => choose(at) },
      el("img", { src: item.thumb, alt: item.text ?? "", loading: "lazy", decoding: "async" }),
      el("span.stays", {}, at ? t("caption.alike.goes") : t("caption.alike.stays")),
      el("span.muted", {}, size(item)))));
}

const size = (item) => `${item.width} × ${item.height}`;
