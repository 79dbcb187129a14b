// A place that takes one file: by dropping it, or by the file dialog (mouse and keyboard). A picture of the page itself
// can be dropped, too.

import { el } from "../core/dom.js";
import { icon } from "../core/icons.js";

export function dropZone({ text, onfile, glyph = "start", accept = "image/*" }) {
  const input = el("input.unseen", { type: "file", accept, "aria-label": text });
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
  zone.ondrop = async (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    const file = event.dataTransfer.files[0] ?? (await ours(event.dataTransfer.getData("text/uri-list")));
    if (file) onfile(file);
  };
  return zone;
}

/** Only what this studio itself serves; an address elsewhere is nobody's business. */
async function ours(address) {
  const url = address && new URL(address, location.href);
  if (!url || url.origin !== location.origin || !url.pathname.startsWith("/files/")) return null;
  const answer = await fetch(url);
  return answer.ok ? answer.blob() : null;
}
