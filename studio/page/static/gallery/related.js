// Under the results of a search: what has other words and means something like it, in the alignment's eyes.

import { search } from "../core/api.js";
import { button, el, set } from "../core/dom.js";
import { title, viewOf } from "../jobs/kinds.js";
import { lightbox } from "../jobs/lightbox.js";
import { t } from "../core/i18n.js";

const MOST = 12;
const PAUSE = 300; // milliseconds without another key before the device is asked

/** -> { node, look(text, kind, there), clear() }; there: ids that are on the page already */
export function near({ ondelete }) {
  const heading = el("div.stage-bar", {}, el("h2", {}, t("gallery.near")));
  const grid = el("div.grid.thumbs.near", { role: "list" });
  const node = el("section.near-room", { hidden: true }, heading, grid);
  let asked = 0;
  let timer;

  const clear = () => {
    asked += 1;
    clearTimeout(timer);
    set(node, { hidden: true });
  };
  const show = (items) => {
    const open = (at) => lightbox(items, at, { ondelete, more: async () => items });
    grid.replaceChildren(...items.map((item, at) => card(item, () => open(at))));
    set(node, { hidden: !items.length });
  };
  const look = (text, kind, there) => {
    clear();
    const mine = asked;
    timer = setTimeout(async () => {
      const answer = await search(kind ? { text, kind } : { text }).catch(() => ({ items: [] }));
      if (mine === asked) show(answer.items.filter(({ id }) => !there.has(id)).slice(0, MOST));
    }, PAUSE);
  };
  return { node, look, clear };
}

function card(item, onclick) {
  const words = { "aria-label": t("act.open", { prompt: title(item) }), title: title(item) };
  return button("thumb", { onclick, "data-id": item.id, "data-kind": item.kind, ...words }, ...viewOf(item).card(item));
}
