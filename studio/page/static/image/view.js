// The kind "image": pictures on the stage, in the gallery, large.

import { reuse, useAsStart } from "./actions.js";
import { saveLink, tool } from "../core/tools.js";
import { agreementBars, gateNow } from "../components/agreement.js";
import { button, el, say, set } from "../core/dom.js";
import { filmstrip } from "./filmstrip.js";
import { number, t } from "../core/i18n.js";

const LARGEST = 3; // times its own size; further enlarged a picture would only blur

export const picture = {
  title: (request) => wordsOf(request) || t("job.untitled"),
  ratio: ({ width, height }) => `${width} / ${height}`,
  live,
  done,
  tools,
  card,
  large,
  extra: filmstrip,
  under: agreementBars,
  along: gateNow,
  rows,
};

/** The prompt and the texts among the parts, as it is searched for. */
function wordsOf({ prompt, parts = [], blend }) {
  const words = [prompt?.trim(), ...parts.map(({ text, role }) => (role === "not" ? "" : text?.trim()))].filter(Boolean).join(", ");
  const other = blend?.prompt.trim();
  if (!other || blend.at === 0) return words;
  return blend.at === 1 ? other : `${words} → ${other}`;
}

function live(job) {
  const node = el("img.preview", { alt: "", hidden: true });
  return {
    node,
    update(next) {
      if (next.preview && node.src !== next.preview) set(node, { src: next.preview, hidden: false, alt: picture.title(next.request) });
    },
  };
}

function done(item, open) {
  const words = picture.title(item.request);
  const image = el("img", { src: item.url, alt: words, decoding: "async" });
  image.ondragstart = (event) => event.dataTransfer.setData("text/uri-list", image.src);
  const badge = item.score == null ? null : scoreOf(item);
  return [button("open", { onclick: open, "aria-label": t("act.open", { prompt: words }) }, image), badge].filter(Boolean);
}

function scoreOf(item) {
  const badge = el("span.score", { title: t("score.title"), "data-group": item.request.group, "data-score": item.score }, t("score", { n: number(item.score * 100) }));
  if (item.request.group) queueMicrotask(() => crown(item.request.group)); // when it is on the page
  return badge;
}

/** The best of the pictures that were asked for together says so; a later one may take the place from it. */
function crown(group) {
  const badges = [...document.querySelectorAll(`.score[data-group="${CSS.escape(group)}"]`)];
  const best = Math.max(...badges.map((badge) => +badge.dataset.score));
  for (const badge of badges) {
    const leads = badges.length > 1 && +badge.dataset.score === best;
    badge.classList.toggle("best", leads);
    say(badge, t(leads ? "score.best" : "score", { n: number(badge.dataset.score * 100) }));
  }
}

function tools(item, begin) {
  return [
    saveLink(item, fileName(item)),
    tool("reuse", t("act.reuse"), () => reuse(item.request)),
    tool("start", t("act.start"), () => useAsStart(item)),
    tool("filmstrip", t("act.filmstrip"), begin, { "data-stays": "" }),
  ];
}

export const fileName = (item) => `triptych-${item.request?.seed ?? item.id.slice(0, 8)}.png`;

function card(item) {
  return [el("img", { src: item.thumb, alt: picture.title(item.request), loading: "lazy", decoding: "async", width: item.width, height: item.height })];
}

function large(item) {
  const image = el("img", { src: item.url, alt: picture.title(item.request), width: item.width, height: item.height });
  image.style.maxWidth = `${item.width * LARGEST}px`;
  image.style.maxHeight = `${item.height * LARGEST}px`;
  return image;
}

const ROWS = ["parts", "gate", "negative_prompt", "model", "size", "sampler", "steps", "guidance_scale", "seed", "strength"];

function rows(item) {
  const about = { ...item.request };
  if (item.width ?? about.width) about.size = `${item.width ?? about.width} × ${item.height ?? about.height}`;
  if (!about.start_picture && !about.parts?.some(({ role, picture }) => role === "where" && picture)) delete about.strength;
  const { parts = [], gate, auto_gate: auto } = item.request;
  about.parts = parts.map(({ role, text }) => [t(`compose.role.${role}`), text?.trim()].filter(Boolean).join(" – ")).join("; ");
  const weighs = parts.some(({ role, picture }) => picture && role !== "where");
  about.gate = weighs && (auto ? t("info.gate.auto", { n: number(item.info?.gate ?? gate, 2) }) : number(gate, 2));
  const match = item.score == null ? null : `${number(item.score * 100)} %`;
  return [[t("info.score"), match, "score"], ...ROWS.map((name) => [t(`info.${name}`), about[name], name])];
}
