// A closer look at one picture: where a word is that one types, and which of one's own labels fits it.

import { post } from "../core/api.js";
import { el } from "../core/dom.js";
import { invalid, number, t } from "../core/i18n.js";

const KEPT = "triptych.labels";
const GUESS = 0.8; // as calibration.SUPPORTED: a label that beats fewer of the other captions is a guess

/** sha: what the server calls the picture; map: of heat() */
export function closer(sha, map) {
  return el("details.closer", {}, el("summary", {}, t("caption.look")), where(map), labels(sha));
}

function where(map) {
  const field = el("input", { type: "text", maxlength: 500, placeholder: t("caption.heat.hint"), "aria-label": t("caption.heat.label"), "data-own-keys": "" });
  const form = el("form.ask", {}, el("div.row", {}, field, el("button.quiet", { type: "submit" }, t("caption.heat.go"))));
  form.onsubmit = (event) => {
    event.preventDefault();
    if (field.value.trim()) map.show(field.value.trim());
    else field.focus();
  };
  return form;
}

/** One's own words are remembered: the next picture is asked for the same. */
function labels(sha) {
  const field = el("input", { type: "text", maxlength: 4000, value: localStorage.getItem(KEPT) ?? "", placeholder: t("caption.labels.hint"), "aria-label": t("caption.labels"), "data-own-keys": "" });
  const found = el("div.labels", { "aria-live": "polite" });
  const form = el("form.ask", {}, el("div.row", {}, field, el("button.quiet", { type: "submit" }, t("caption.labels.go"))), found);
  let asked = 0;
  form.onsubmit = async (event) => {
    event.preventDefault();
    const mine = ++asked;
    const wanted = field.value.split(/[,，、;；\n]/).map((word) => word.trim()).filter(Boolean);
    if (!wanted.length) return field.focus();
    localStorage.setItem(KEPT, field.value);
    found.replaceChildren(el("p.muted", {}, t("caption.labels.looking")));
    try {
      const { labels } = await post("/api/alignment/labels", { picture: sha, labels: wanted });
      if (mine === asked) found.replaceChildren(...result(labels));
    } catch (error) {
      if (mine === asked) found.replaceChildren(el("p.problem", { role: "alert" }, invalid(error.message)));
    }
  };
  return form;
}

function result(lines) {
  const list = el("ul", {}, lines.map(({ label, share, standing }) => el("li", { "data-guess": standing < GUESS },
    el("span.label-name", { dir: "auto" }, label),
    el("span.bar-of", { "aria-hidden": "true" }, el("span", { style: `width:${Math.round(share * 100)}%` })),
    el("span.label-share", {}, t("caption.labels.share", { n: number(Math.round(share * 100)) })))));
  const guesses = lines.filter(({ standing }) => standing < GUESS).length;
  return guesses ? [list, el("p.muted", {}, t(guesses === lines.length ? "caption.labels.none" : "caption.labels.guess"))] : [list];
}
