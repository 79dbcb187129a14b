// One card of a composition: its role and weight, and the words or the picture.

import { button, el, say, set } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { thumbOf } from "../components/uploads.js";
import { number, t } from "../core/i18n.js";

const ROLES = ["what", "how", "where", "not"];
let dragged = 0; // key of the part on its way

/** on: changed(), remove(part), move(part, way), place(key, part) -> { node, update(at, { first, last, where }) } */
export function partCard(part, on) {
  const node = el("li.part", {});
  const role = el("select.role", { "aria-label": t("compose.role"), onchange: () => ((part.role = role.value), on.changed()) }, ROLES.map((name) => el("option", { value: name }, t(`compose.role.${name}`))));
  const up = mover("up", part, on, -1);
  const down = mover("down", part, on, 1);
  const away = button("tool", { title: t("compose.part.remove"), "aria-label": t("compose.part.remove"), onclick: () => on.remove(part) }, icon("close", 16));
  const grip = el("span.grip", { title: t("compose.part.drag"), onpointerdown: () => (node.draggable = true) }, icon("grip", 16));
  const body = el("div.part-body", {});
  const weight = weightOf(part, on);
  node.append(el("div.part-head", {}, grip, role, el("div.part-tools", {}, up, down, away)), body, weight.node);
  dragging(node, part, on);
  const shown = {};
  const update = (at, { first, last, where }) => {
    const kind = part.picture ? "picture" : "text";
    if (shown.kind !== kind || shown.picture !== part.picture) {
      Object.assign(shown, { kind, picture: part.picture, content: CONTENTS[kind](part, on) });
      body.replaceChildren(...shown.content.nodes);
    }
    shown.content.update();
    set(node, { "data-role": part.role, "data-kind": kind, "aria-label": t("parts.one", { n: at + 1 }) });
    set(up, { disabled: part.key === first });
    set(down, { disabled: part.key === last });
    set(role.options[2], { hidden: kind === "picture" && !where, disabled: kind === "picture" && !where });
    role.value = part.role;
    set(weight.node, { hidden: kind === "picture" && part.role === "where" });
    weight.update();
  };
  return { node, update };
}

function mover(name, part, on, way) {
  const words = t(`compose.part.${name}`);
  const node = button("tool", { title: words, "aria-label": words, onclick: () => (on.move(part, way), (node.disabled ? node.parentNode.querySelector("button:enabled") : node).focus()) }, icon(name, 16));
  return node;
}

function weightOf(part, on) {
  const value = el("output", {});
  const range = el("input", { type: "range", min: 0, max: 2, step: 0.05, "aria-label": t("compose.weight") });
  const update = () => {
    range.value = part.weight;
    say(value, number(part.weight, 2));
  };
  range.oninput = () => ((part.weight = Number(range.value)), on.changed());
  return { node: el("label.weight", {}, el("span", {}, t("compose.weight")), range, value), update };
}

const CONTENTS = { text, picture };

function text(part, on) {
  const field = el("textarea", { rows: 2, "aria-label": t("compose.text"), placeholder: t("compose.text.hint"), dir: "auto" });
  field.oninput = () => ((part.text = field.value), on.changed());
  const back = () => (Object.assign(part, { picture: part.from, caption: part.text, text: undefined, from: undefined }), on.changed());
  const again = part.from ? button("link", { onclick: back }, t("compose.caption.back")) : null;
  return { nodes: [field, again].filter(Boolean), update: () => same(field, part.text ?? "") };
}

function picture(part, on) {
  const image = el("img", { src: thumbOf(part.picture), alt: part.caption || t("compose.picture"), decoding: "async" });
  const gone = el("p.problem", { hidden: true }, t("compose.picture.gone"));
  image.onerror = () => (set(image, { hidden: true }), set(gone, { hidden: false }));
  const caption = el("textarea.caption-of", { rows: 2, "aria-label": t("compose.caption"), dir: "auto" });
  caption.oninput = () => ((part.caption = caption.value), on.changed());
  const swap = () => (Object.assign(part, asText(part)), on.changed());
  const use = button("link", { onclick: swap }, t("compose.caption.use"));
  const update = () => {
    same(caption, part.caption ?? "");
    set(caption, { placeholder: t(part.caption === undefined ? "compose.caption.busy" : "compose.caption.none") });
    set(image, { alt: part.caption || t("compose.picture") });
    set(use, { disabled: !part.caption?.trim() });
  };
  return { nodes: [el("div.part-picture", {}, image, gone), el("div.part-words", {}, caption, use)], update };
}

/** A picture's caption in its place; `from` remembers the picture. */
export const asText = (part) => ({ text: part.caption, from: part.picture, picture: undefined, caption: undefined });

/** A field that somebody types in is left in peace. */
function same(field, value) {
  if (field.value !== value) field.value = value;
}

function dragging(node, part, on) {
  node.ondragstart = (event) => ((dragged = part.key), event.dataTransfer.setData("text/plain", ""), (event.dataTransfer.effectAllowed = "move"));
  node.ondragend = () => void ((dragged = 0), (node.draggable = false));
  node.ondragover = (event) => {
    if (!dragged || dragged === part.key) return;
    event.preventDefault();
    node.dataset.over = "";
  };
  node.ondragleave = () => delete node.dataset.over;
  node.ondrop = (event) => {
    delete node.dataset.over;
    if (!dragged) return;
    event.preventDefault();
    event.stopPropagation();
    on.place(dragged, part);
  };
}
