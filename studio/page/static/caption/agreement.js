// How well words and picture agree: a number, a bar, and what it means.

import { models } from "../core/api.js";
import { el } from "../core/dom.js";
import { number, t } from "../core/i18n.js";

const USUAL = 0.1; // where nobody has measured from which score on a caption is rather right than wrong
let doubtful = USUAL;
models().then(({ models }) => (doubtful = models.find((one) => one.task === "align")?.doubtful ?? USUAL)).catch(() => {});

/** score: 0…1, null where nobody has checked; brief: without the explanation; by: who wrote the words */
export function agreement(score, brief = false, by = "model") {
  const who = by === "person" ? t("caption.agreement.edited") : by === "sidecar" ? t("caption.kept") : "";
  if (typeof score !== "number" && who) return el("p.agreement.muted", {}, who);
  const node = told(score, brief);
  const line = who && node.querySelector(".agreement-line");
  if (line) line.append(el("span.muted", {}, brief ? `· ${who}` : who));
  return node;
}

function told(score, brief) {
  if (typeof score !== "number") return brief ? null : el("p.agreement.muted", {}, t("caption.agreement.none"));
  const low = score < doubtful;
  const bar = el("span.bar-of", { "aria-hidden": "true" }, el("span", { style: `width:${Math.round(score * 100)}%` }));
  const n = number(score * 100);
  const line = el("span.agreement-line", {}, bar, el("span", {}, t(brief ? "caption.agreement.short" : "caption.agreement", { n })));
  if (brief) return el("p.agreement", { "data-low": low, title: `${t("caption.agreement", { n })}. ${why()}` }, line);
  return el("details.agreement", { "data-low": low }, el("summary", {}, line, el("span.link", {}, t("caption.agreement.what"))), el("p.muted", {}, why()));
}

const why = () => t("caption.agreement.why", { n: number(doubtful * 100) });
