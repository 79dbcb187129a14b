// The sentences of a recording: a click jumps there, the one being spoken is marked, and in it the word.

import { button, el } from "../core/dom.js";
import { clock, t } from "../core/i18n.js";

/** Pieces as sentences: a long sentence comes in several pieces. */
export function sentencesOf(pieces) {
  const lines = [];
  for (const piece of pieces) {
    const last = lines.at(-1);
    if (last && last.sentence === (piece.sentence ?? piece.index)) {
      last.text += (last.until === piece.span[0] ? "" : " ") + piece.text;
      last.words = [...last.words, ...(piece.words ?? [])];
      Object.assign(last, { end: piece.end, until: piece.span[1] });
    } else {
      const { text, start, end, words = [], paragraph } = piece;
      lines.push({ sentence: piece.sentence ?? piece.index, text, start, end, words, paragraph, until: piece.span[1] });
    }
  }
  return lines;
}

/** -> { node, show(sentences), mark(seconds or null) }; onjump(seconds) */
export function lines(onjump) {
  const node = el("ol.lines", { "aria-label": t("speech.sentences") });
  let shown = []; // { line, node, text, words: null or nodes }
  let current = null;

  function show(sentences) {
    sentences.forEach((line, i) => {
      if (!shown[i]) node.append((shown[i] = row(line, onjump)).node);
      else if (shown[i].line.text !== line.text) Object.assign(shown[i], { line, words: null }).text.textContent = line.text;
      else shown[i].line = line;
    });
    for (const gone of shown.splice(sentences.length)) gone.node.remove();
  }

  function mark(seconds) {
    const at = seconds === null ? -1 : shown.findLastIndex(({ line }) => line.start <= seconds + 0.02);
    const next = shown[at] ?? null;
    if (next !== current) {
      if (current) plain(current);
      current = next;
      if (current) spell(current, node);
    }
    current?.words?.forEach(({ node, start, end }) => node.classList.toggle("now", start <= seconds && seconds < end));
  }
  return { node, show, mark };
}

function row(line, onjump) {
  const text = el("span.line-text", {}, line.text);
  const press = button("line", { onclick: () => onjump(line.start) }, el("time", {}, clock(line.start)), text);
  return { line, node: el("li", { "data-paragraph": line.paragraph }, press), text, words: null };
}

function plain(shown) {
  shown.node.removeAttribute("aria-current");
  shown.text.textContent = shown.line.text;
  shown.words = null;
}

/** The sentence that is spoken, its words each for itself. */
function spell(shown, list) {
  shown.node.setAttribute("aria-current", "true");
  const nodes = [];
  let at = 0;
  shown.words = [];
  for (const [word, start, end] of shown.line.words) {
    const found = shown.line.text.indexOf(word, at);
    if (found < 0) continue;
    const node = el("span.word", {}, word);
    nodes.push(shown.line.text.slice(at, found), node);
    shown.words.push({ node, start, end });
    at = found + word.length;
  }
  shown.text.replaceChildren(...nodes, shown.line.text.slice(at));
  keepInSight(shown.node, list);
}

/** Only the list is scrolled, never the page; and not under a pointer. */
function keepInSight(row, list) {
  if (list.matches(":hover") && matchMedia("(hover: hover)").matches) return;
  const top = row.offsetTop - list.offsetTop;
  if (top < list.scrollTop || top + row.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 3;
}
