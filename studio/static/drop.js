// A place that takes one picture: by dropping it, or by the file dialog (mouse and keyboard).

import { el } from "./dom.js";
import { icon } from "./icons.js";

export function dropZone({ text, onfile, glyph = "start" }) {
  const input = el("input.unseen", { type: "file", accept: "image/*", "aria-label": text });
  const zone = el("label.drop", {}, input, icon(glyph, 20), el("span", {}, text));
  input.onchange = () => {
    if (input.files[0]) onfile(input.files[0]);
    input.value = ""; // the same file may be chosen again
  };
  zone.ondragover = (event) => {
    event.preventDefault();
    zone.dataset.over = "";
  };
  zone.ondragleave = () => delete zone.dataset.over;
  zone.ondrop = (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    const file = event.dataTransfer.files[0];
    if (file) onfile(file);
  };
  return zone;
}
