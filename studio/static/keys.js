// The keyboard: Ctrl+Enter runs, Esc cancels the newest of one's own, / goes to the search.

import { cancelNewest } from "./cancel.js";
import { open, shown } from "./tabs.js";

export function watchKeys() {
  addEventListener("keydown", press, { capture: true });
}

function press(event) {
  if (document.querySelector("dialog[open]")) return; // a dialog has keys of its own
  if (event.target.closest?.("[data-own-keys]")) return; // and so has a field that is saved or left by them
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(event);
  else if (event.key === "Escape" && !inList(event.target)) cancelNewest();
  else if (event.key === "/" && !typing(event.target)) search(event);
}

/** The one primary button at the foot of the side. */
function run(event) {
  const go = document.querySelector(`#panel-${shown()} .foot button.primary`);
  if (!go) return;
  event.preventDefault();
  event.stopPropagation();
  // the field tells Gradio its value when it is left or typed in; one turn later it has it
  setTimeout(() => go.click(), 0);
}

function search(event) {
  event.preventDefault();
  open("gallery");
  setTimeout(() => document.getElementById("gallery-search")?.focus(), 0);
}

const typing = (node) => node.matches?.("input, textarea, select, [contenteditable]");
const inList = (node) => node.getAttribute?.("aria-expanded") === "true"; // Esc closes the list of a dropdown
