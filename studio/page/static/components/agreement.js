// How well a finished picture agrees with each part of its composition, and where the automatic gate went.

import { el, say } from "../core/dom.js";
import { thumbOf } from "./uploads.js";
import { number, t } from "../core/i18n.js";

const PROMPT = -1; // in the place of a part's number

/** -> a list of small bars, or null where nobody has looked */
export function agreementBars({ info, request }) {
  const known = (info?.agreement ?? []).filter(({ score }) => typeof score === "number");
  if (!known.length) return null;
  const bars = el("ul.bars", { "aria-label": t("compose.agreement"), title: t("compose.agreement") }, known.map((one) => bar(one, request)));
  const gate = request.auto_gate && typeof info.gate === "number" ? went(info.gate) : null;
  return el("div.agrees", {}, bars, gate);
}

function bar({ part, score }, request) {
  const said = request.parts?.[part];
  const words = part === PROMPT ? t("compose.agreement.prompt") : said?.text || t("compose.agreement.picture", { n: part + 1 });
  const face = said?.picture ? el("img", { src: thumbOf(said.picture), alt: words, width: 20, height: 20 }) : el("span.of", {}, words);
  const line = el("span.bar-of", { "aria-hidden": "true" }, el("span", { style: `width:${Math.round(score * 100)}%` }));
  return el("li", { title: t("compose.agreement.line", { part: words, n: number(score * 100) }) }, face, line, el("span.n", {}, `${number(score * 100)} %`));
}

/** While the picture is made: where the automatic gate has moved to, as the job says it. */
export function gateNow({ note }, place) {
  const [, text, pictures] = (/^auto: text (\d+) %, pictures (\d+) %$/.exec(note ?? "") ?? []).map(Number);
  if (pictures === undefined) return;
  if (!place.querySelector(".went")) place.replaceChildren(el("div.agrees", {}, line()));
  show(place.querySelector(".went"), text === 100 ? pictures / 200 : 1 - text / 200);
}

const went = (gate) => show(line(), gate);

const line = () => el("p.went", {}, el("span.gate-line", { "aria-hidden": "true" }, el("span", {})), el("span.words", {}));

/** gate: 0…1, see the request's `gate`; said as text and pictures are heard */
function show(node, gate) {
  const heard = { text: number(100 * Math.min(1, 2 * (1 - gate))), pictures: number(100 * Math.min(1, 2 * gate)) };
  node.firstChild.firstChild.style.left = `${Math.round(100 * gate)}%`;
  say(node.lastChild, t("compose.gate.went", heard));
  return node;
}
