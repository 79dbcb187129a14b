// Choose a picture of the gallery, in a dialog.

import { gallery } from "../core/api.js";
import { button, el } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { title } from "./kinds.js";
import { t } from "../core/i18n.js";

const MOST = 60;

/** -> the chosen item, or null */
export function pick() {
  const grid = el("div.grid.thumbs", {}, el("p.muted", {}, t("gallery.loading")));
  const dialog = el("dialog.picking", { "aria-label": t("compose.pick") });
  return new Promise((resolve) => {
    let chosen = null;
    const choose = (item) => ((chosen = item), dialog.close());
    const close = button("tool", { title: t("act.close"), "aria-label": t("act.close"), onclick: () => dialog.close() }, icon("close"));
    dialog.append(el("header.paint-bar", {}, el("h2", {}, t("compose.pick")), close), grid);
    dialog.onclick = (event) => void (event.target === dialog && dialog.close());
    dialog.onclose = () => (dialog.remove(), resolve(chosen));
    document.body.append(dialog);
    dialog.showModal();
    gallery({ kind: "image", limit: MOST })
      .then(({ items }) => grid.replaceChildren(...(items.length ? items.map((item) => card(item, choose)) : [el("p.muted", {}, t("compose.pick.none"))])))
      .catch((error) => grid.replaceChildren(el("p.problem", { role: "alert" }, error.message)));
  });
}

const card = (item, choose) =>
  button("thumb", { onclick: () => choose(item), "aria-label": title(item), title: title(item) }, el("img", { src: item.thumb, alt: "", loading: "lazy" }));
