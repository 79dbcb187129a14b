// Under the text: how much it is and how long it lasts; a file whose text is to be spoken; the chapters of a book.

import { readText } from "../core/api.js";
import { button, el, say, set } from "../core/dom.js";
import { dropZone } from "../components/dropzone.js";
import { clock, number, phrase, t } from "../core/i18n.js";

const MOST = 100_000; // characters; the server says the same
const A_SECOND = 18; // Latin letters, spaces among them, that are spoken in a second; others weigh more
const tell = (values) => dispatchEvent(new CustomEvent("triptych:fill", { detail: { form: "speech", values } }));

let view = null;
let speed = 1;

export function speechText(place) {
  const count = el("p.count", { "aria-live": "off" });
  const problem = el("p.problem", { role: "alert" });
  const book = el("div.book", { hidden: true });
  const drop = dropZone({ text: t("speech.file.hint"), glyph: "file", accept: ".txt,.md,.markdown,.epub,text/plain,text/markdown,application/epub+zip", onfile: take });
  view = { count };
  place.append(el("div.text-below", {}, count, drop, problem, book));
  document.addEventListener("input", ({ target }) => target.matches?.("#text textarea") && show(target.value));
  show(document.querySelector("#text textarea")?.value ?? "");

  async function take(file) {
    say(problem, "");
    drop.dataset.busy = "";
    try {
      const { title, parts, notes } = await readText(file);
      choose(book, title, parts);
      tell({ text: parts[0].text });
      say(problem, notes.map(phrase).join(" "));
    } catch (error) {
      say(problem, error.message);
    } finally {
      delete drop.dataset.busy;
    }
  }
}

/** Of a book one chapter is spoken at a time. */
function choose(book, title, parts) {
  set(book, { hidden: parts.length < 2 });
  const pick = el("select", { id: "chapter" }, parts.map((part, i) => el("option", { value: i }, `${i + 1}. ${part.title || part.text.slice(0, 40)} · ${about(part.text)}`)));
  pick.onchange = () => tell({ text: parts[pick.value].text });
  const close = button("link", { onclick: () => set(book, { hidden: true }) }, t("speech.book.close"));
  book.replaceChildren(el("label.field", {}, el("span", {}, title || t("speech.chapter")), pick), close);
}

/** The form has other values. */
export function showText(form) {
  speed = Number(form.speed) || 1;
  show(form.text ?? "");
}

function show(text) {
  if (!view) return;
  const long = text.length - count(text, /[\ud800-\udbff]/g); // as the server counts: an emoji is one
  const over = long > MOST;
  set(view.count, { "data-over": over });
  if (!text.trim()) return say(view.count, t("speech.count.none", { most: number(MOST) }));
  const values = { n: number(long), time: about(text), most: number(MOST) };
  say(view.count, t(over ? "speech.count.over" : "speech.count", values));
}

const WIDE = /[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]/g;
const count = (text, pattern) => text.match(pattern)?.length ?? 0;

/** About how long it lasts, as a clock: letters, digits read as words, Chinese characters as syllables, pauses between. */
function about(text) {
  const weight = text.length + 3 * count(text, /\d/g) + 2 * count(text, WIDE);
  const rests = 0.35 * count(text, /[.!?。！？]/g) + 0.4 * count(text, /\n\s*\n/g);
  return clock(Math.max(1, weight / A_SECOND / speed + rests));
}
