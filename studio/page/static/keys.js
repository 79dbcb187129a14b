// The keyboard: Ctrl+Enter runs, Esc cancels the newest of one's own, / goes to the search.

import { cancelNewest } from "./jobs/cancel.js";
import { open } from "./core/router.js";

export function watchKeys() {
  addEventListener("keydown", press, { capture: true });
  removeEventListener("keydown", window.triptychEarly?.press, { capture: true });
  if (window.triptychEarly?.asked) go();
}

function press(event) {
  if (document.querySelector("dialog[open]")) return; // a dialog has keys of its own
  if (event.target.closest?.("[data-own-keys]")) return; // and so has a field that is saved or left by them
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(event);
  else if (event.key === "Escape" && !inList(event.target)) cancelNewest();
  else if (event.key === "/" && !typing(event.target)) search(event);
}

const root = document.documentElement; // says which tab is shown even before the tabs are there

/** The one primary button at the foot of the side. */
const button = () => document.querySelector(`#panel-${root.dataset.tab} .foot button.primary`);

function run(event) {
  if (!button()) return;
  event.preventDefault();
  event.stopPropagation();
  // the field tells Gradio its value when it is left or typed in; one turn later it has it
  setTimeout(go, 0);
}

/** Presses it; where the tab's form is still being filled, as soon as it is: until then Gradio does not listen. */
function go() {
  const form = `data-form-${root.dataset.tab}`;
  if (root.hasAttribute(form)) return button()?.click();
  const filled = new MutationObserver(() => filled.disconnect() || button()?.click());
  filled.observe(root, { attributeFilter: [form] });
}

function search(event) {
  event.preventDefault();
  open("gallery");
  setTimeout(() => document.getElementById("gallery-search")?.focus(), 0);
}

const typing = (node) => node.matches?.("input, textarea, select, [contenteditable]");
const inList = (node) => node.getAttribute?.("aria-expanded") === "true"; // Esc closes the list of a dropdown
