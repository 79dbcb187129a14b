// What is done to all captions of a batch: words changed everywhere, with undo, and everything taken away.

import { note } from "../../core/toast.js";
import { act, state } from "./state.js";
import { button, el, set } from "../../core/dom.js";
import { icon } from "../../core/icons.js";
import { t } from "../../core/i18n.js";

const ACTIONS = ["replace", "add", "remove"];

export function wording() {
  const find = el("input", { type: "text", "aria-label": t("caption.change.find"), placeholder: t("caption.change.find"), maxlength: 1000 });
  const put = el("input", { type: "text", maxlength: 1000 });
  const at = el("select", { "aria-label": t("caption.change.at") }, ["end", "begin"].map((value) => el("option", { value }, t(`caption.change.at.${value}`))));
  const [whole, exact] = ["whole", "case"].map((name) => el("input", { type: "checkbox", id: `caption-${name}` }));
  const action = el("select", { "aria-label": t("caption.change") }, ACTIONS.map((value) => el("option", { value }, t(`caption.change.${value}`))));
  const problem = el("p.problem", { role: "alert" });
  const undo = button("link", { onclick: () => tell(act("undo"), "caption.undone") }, icon("undo", 16), t("caption.undo"));
  const fit = () => {
    const word = action.value === "replace" ? "caption.change.put" : "caption.change.tag";
    set(find, { hidden: action.value === "add", placeholder: t(action.value === "remove" ? "caption.change.tag" : "caption.change.find") });
    set(put, { hidden: action.value === "remove", placeholder: t(word), "aria-label": t(word) });
    set(at, { hidden: action.value !== "add" });
    set(whole.parentNode ?? whole, { hidden: action.value !== "replace" });
    problem.textContent = "";
  };
  const tell = async (promise, key) => {
    problem.textContent = "";
    try {
      const { changed } = await promise;
      note(t(key, { n: changed }));
    } catch (error) {
      problem.textContent = error.message;
    }
  };
  const form = el("form.change-form", {},
    action, find, put, at,
    el("label.check", {}, whole, t("caption.change.whole")),
    el("label.check", {}, exact, t("caption.change.case")),
    el("button.quiet", { type: "submit" }, t("caption.change.go")), problem,
  );
  const node = el("div.change", {}, el("details", { open: !matchMedia("(max-width: 820px)").matches }, el("summary", {}, t("caption.change")), form), undo);
  form.onsubmit = (event) => {
    event.preventDefault();
    tell(act("edit", { action: action.value, find: find.value, put: put.value, at: at.value, whole: whole.checked, case: exact.checked }), "caption.changed");
  };
  action.onchange = fit;
  fit();
  return {
    node,
    update() {
      set(node, { hidden: !state.batch.described });
      set(undo, { disabled: !state.batch.undo });
    },
  };
}

const FORMS = ["txt", "jsonl", "csv", "imagefolder"];

/** A menu: which form, with the pictures or without. The download is a link, so the browser does it. */
export function exporting() {
  const kinds = FORMS.map((value) => el("label.check", {}, el("input", { type: "radio", name: "caption-form", value, checked: value === "txt" }), el("span", {}, t(`caption.form.${value}`), el("small.muted", {}, t(`caption.form.${value}.what`)))));
  const pictures = el("input", { type: "checkbox", checked: true });
  const link = el("a.primary", { download: "", id: "caption-export" }, t("caption.export.go"));
  const aim = () => {
    const form = kinds.map((kind) => kind.querySelector("input")).find((one) => one.checked).value;
    set(link, { href: `/api/batches/${state.id}/export?form=${form}&pictures=${pictures.checked}` });
  };
  const menu = el("details.export", {}, el("summary.quiet", {}, icon("save"), t("caption.export")), el("div.menu", {}, ...kinds, el("label.check", {}, pictures, t("caption.export.pictures")), link));
  menu.onchange = aim;
  link.onclick = () => setTimeout(() => (menu.open = false), 100);
  document.addEventListener("click", (event) => menu.contains(event.target) || (menu.open = false));
  menu.onkeydown = (event) => void (event.key === "Escape" && ((menu.open = false), event.stopPropagation()));
  return {
    node: menu,
    update() {
      aim();
      set(menu, { hidden: !state.batch.described });
    },
  };
}
