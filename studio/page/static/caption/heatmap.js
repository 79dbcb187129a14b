// Where in a picture some words are: the alignment's map, laid over the picture until it is taken off.

import { post } from "../core/api.js";
import { button, el } from "../core/dom.js";
import { phrase, t } from "../core/i18n.js";

/** shown: a node with one picture in it; sha: what the server calls that picture. -> { node, show(text), clear() }; node tells what is seen */
export function heat(shown, sha) {
  const node = el("p.heat-said", { role: "status" });
  let asked = 0;
  let cover = null;
  const clear = () => {
    asked += 1;
    cover?.remove();
    node.replaceChildren();
    delete shown.dataset.heat;
  };
  const show = async (text) => {
    clear();
    const mine = asked;
    node.replaceChildren(t("caption.heat.looking", { text }));
    try {
      const answer = await post("/api/alignment/heatmap", { picture: sha, text });
      if (mine !== asked) return;
      cover = laid(shown, answer.image);
      shown.dataset.heat = text;
      node.replaceChildren(el("span", {}, t(answer.peak < 1 ? "caption.heat.weak" : "caption.heat.shown", { text })), button("link", { onclick: clear }, t("caption.heat.clear")));
    } catch (error) {
      if (mine === asked) node.replaceChildren(el("span.problem", {}, phrase(error.message)));
    }
  };
  return { node, show, clear };
}

/** Exactly over the picture, also when that changes its size. */
function laid(shown, source) {
  const image = shown.querySelector("img");
  const cover = el("img.heat", { src: source, alt: "" });
  const place = () => Object.assign(cover.style, { left: `${image.offsetLeft}px`, top: `${image.offsetTop}px`, width: `${image.offsetWidth}px`, height: `${image.offsetHeight}px` });
  const watch = new ResizeObserver(() => (cover.isConnected ? place() : watch.disconnect()));
  shown.append(cover);
  watch.observe(image);
  place();
  return cover;
}

/**
 * The words of a caption, each phrase to be clicked; underlined where the picture does not support it. Spans count
 * characters, as Python does; a JavaScript string counts halves of some of them.
 */
export function spoken(text, phrases, onphrase = null) {
  const letters = Array.from(text);
  const known = phrases.filter((one) => one.span).sort((a, b) => a.span[0] - b.span[0]);
  const parts = [];
  let at = 0;
  for (const { span: [from, to], supported } of known.length ? known : words(letters, onphrase)) {
    if (from < at) continue;
    parts.push(letters.slice(at, from).join(""), piece(letters.slice(from, to).join(""), supported === false, onphrase));
    at = to;
  }
  return [...parts, letters.slice(at).join("")];
}

/** Where nobody has found phrases, every word is one. */
function words(letters, onphrase) {
  if (!onphrase) return [];
  return [...letters.join("").matchAll(/[\p{L}\p{N}'’-]+/gu)].map((found) => {
    const from = Array.from(found.input.slice(0, found.index)).length;
    return { span: [from, from + Array.from(found[0]).length] };
  });
}

function piece(text, doubtful, onphrase) {
  const title = [doubtful ? t("caption.unsupported") : "", onphrase ? t("caption.heat.click") : ""].filter(Boolean).join(". ");
  const node = el(doubtful ? "mark" : "span", { title: title || null });
  node.textContent = text;
  if (!onphrase) return node;
  node.classList.add("phrase");
  Object.assign(node, { tabIndex: 0, onclick: () => onphrase(text), onkeydown: (event) => void ((event.key === "Enter" || event.key === " ") && (event.preventDefault(), onphrase(text))) });
  node.setAttribute("role", "button");
  return node;
}
