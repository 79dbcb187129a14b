// A place to paint, as large as the screen: a mask over a picture, or a drawing on white. Plain 2D, pixel for pixel.

import { button, el, set } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { brush } from "./brush.js";
import { t } from "../core/i18n.js";

const SIDE = 512; // pixels of a drawing
const COLOURS = ["#1b1c1f", "#ffffff", "#d33b2f", "#f0a030", "#f5dd4b", "#3c9d52", "#2f6fd0", "#8a4fc0", "#8d5a34"];
const INK = "#e6198f"; // of a mask, on the screen alone: a colour that few pictures have

/**
 * ground: the picture (loaded) that a mask is painted over; mask: the one to go on with; without ground, a drawing.
 * -> a PNG (of a mask: white on black, of the ground's size), "" for a mask of nothing, null where it was given up
 */
export function paint({ title, ground = null, mask = null }) {
  const [width, height] = ground ? [ground.naturalWidth, ground.naturalHeight] : [SIDE, SIDE];
  const canvas = el("canvas", { width, height, "aria-label": t("paint.canvas"), "data-mask": Boolean(ground) });
  const pen = brush(canvas, { paper: !ground, colour: ground ? INK : COLOURS[0], size: Math.max(4, Math.round(width / 10)) });
  if (mask) pen.take(mask);
  const sheet = el("div.sheet", { style: `aspect-ratio: ${width} / ${height}; --ratio: ${width / height}` }, ground, canvas, pen.cursor);
  const dialog = el("dialog.painting", { "aria-label": title });
  return new Promise((resolve) => {
    let result = null;
    const done = async () => {
      result = await (ground ? pen.mask() : pen.picture());
      dialog.close();
    };
    dialog.append(
      el("header.paint-bar", {}, el("h2", {}, title), button("quiet", { onclick: () => dialog.close() }, t("cancel")), button("primary", { onclick: done }, t("paint.done"))),
      el("div.desk", {}, sheet),
      tools(pen, ground),
    );
    dialog.onkeydown = (event) => {
      if (event.key !== "z" || !(event.ctrlKey || event.metaKey)) return; // an answer of false would take every key
      event.preventDefault();
      pen.undo();
    };
    dialog.onclose = () => (dialog.remove(), resolve(result));
    document.body.append(dialog);
    dialog.showModal();
  });
}

function tools(pen, ground) {
  const draw = toggle("brush", t("paint.brush"), () => use(false));
  const erase = toggle("eraser", t("paint.erase"), () => use(true));
  const use = (erasing) => {
    pen.erasing = erasing;
    set(draw, { "aria-pressed": String(!erasing) });
    set(erase, { "aria-pressed": String(erasing) });
  };
  use(false);
  const size = el("input", { type: "range", min: 2, max: Math.round(pen.canvas.width / 3), value: pen.size, "aria-label": t("paint.size"), oninput: () => (pen.size = Number(size.value)) });
  const step = (name, words, run) => button("tool", { title: words, "aria-label": words, onclick: run }, icon(name, 18), el("span", {}, words));
  return el("div.paint-tools", { role: "toolbar" },
    el("div.row", {}, draw, erase, el("label.brush-size", {}, el("span", {}, t("paint.size")), size)),
    ground ? null : colours(pen, use),
    el("div.row", {}, step("undo", t("paint.undo"), pen.undo), ground ? step("invert", t("paint.invert"), pen.invert) : null, ground ? step("all", t("paint.all"), pen.all) : null, step("delete", t("paint.clear"), pen.clear)),
  );
}

const toggle = (name, words, onclick) => button("quiet", { onclick }, icon(name, 16), words);

function colours(pen, use) {
  const choose = (colour) => {
    pen.colour = colour;
    use(false);
    for (const one of row.children) set(one, { "aria-pressed": String(one.dataset.colour === colour) });
  };
  const row = el("div.row.colours", { role: "group", "aria-label": t("paint.colour") }, COLOURS.map((colour) => button("colour", { "data-colour": colour, style: `--colour: ${colour}`, "aria-label": `${t("paint.colour")} ${colour}`, onclick: () => choose(colour) })));
  choose(COLOURS[0]);
  return row;
}
