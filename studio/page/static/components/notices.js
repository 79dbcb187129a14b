// What whoever runs the studio should know of its data folder, until they have put it away.

import { status } from "../core/api.js";
import { button, el, set } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { phrase, t } from "../core/i18n.js";

const KEY = "triptych.notices";
const read = () => JSON.parse(localStorage.getItem(KEY) ?? "[]");

export function notices() {
  const node = el("aside.notices", { hidden: true, "aria-label": t("notices") });
  status()
    .then(({ notices: said = [] }) => {
      const away = new Set(read());
      const left = said.filter((sentence) => !away.has(sentence));
      const close = () => (localStorage.setItem(KEY, JSON.stringify(said)), node.remove());
      node.append(
        el("ul", {}, ...left.map((sentence) => el("li", {}, phrase(sentence)))),
        button("tool.close", { title: t("notices.close"), "aria-label": t("notices.close"), onclick: close }, icon("close")),
      );
      set(node, { hidden: !left.length });
    })
    .catch(() => {}); // whoever is not logged in, or offline, is told so elsewhere
  return node;
}
