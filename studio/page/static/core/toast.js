// One polite live region for the whole page: what has ended or begun, not every step of it.

import { el } from "./dom.js";

const region = el("div.unseen", { role: "status", "aria-live": "polite" });

document.body.append(region);

export function announce(text) {
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50); // an equal text twice is said twice
}

/** A short note at the foot of the page that goes by itself, with at most one thing to do about it. */
export function note(text, action = null, seconds = 4) {
  document.querySelector(".note")?.remove();
  const bar = el("div.note", { role: "status" }, el("span", {}, text));
  if (action) bar.append(el("button.link", { type: "button", onclick: () => (bar.remove(), action.run()) }, action.text));
  document.body.append(bar);
  setTimeout(() => bar.remove(), seconds * 1000);
}
