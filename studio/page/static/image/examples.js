// The empty stage: six prompts as pictures that this very model has made. A click fills the form.

import { fill } from "../core/tools.js";
import { note } from "../core/toast.js";
import { button, el } from "../core/dom.js";
import { t } from "../core/i18n.js";

const folder = new URL("../../examples/", import.meta.url);

export function examples() {
  const grid = el("div.examples", {});
  load().then((list) => grid.append(...list.map(card)));
  return el("section.empty", {}, el("h2", {}, t("empty.title")), el("p.muted", {}, t("empty.text")), grid);
}

async function load() {
  const answer = await fetch(new URL("examples.json", folder));
  return answer.ok ? answer.json() : [];
}

function card({ file, prompt }) {
  const use = () => {
    fill("image", { prompt });
    note(t("example.used"));
    document.querySelector("#prompt textarea")?.focus();
  };
  const image = el("img", { src: new URL(file, folder).href, alt: "", loading: "lazy", width: 256, height: 256 });
  return button("example", { onclick: use, "aria-label": t("example.use", { prompt }) }, image, el("span", {}, prompt));
}
