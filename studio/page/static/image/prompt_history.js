// The prompts of before: a short list beside the prompt, and Alt with the arrow keys inside it.

import { fill } from "../core/tools.js";
import { button, el, set } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { changes } from "../jobs/live.js";
import { t } from "../core/i18n.js";

const KEY = "triptych.prompts";
const MOST = 30;
const FRESH = 30; // seconds; older jobs are told of again after a reload

const read = () => JSON.parse(localStorage.getItem(KEY) ?? "[]");

function remember(prompt) {
  if (prompt) localStorage.setItem(KEY, JSON.stringify([prompt, ...read().filter((other) => other !== prompt)].slice(0, MOST)));
}

export function promptHistory(place) {
  const list = el("div.recent", { popover: "auto", id: "recent-prompts", role: "menu", "aria-label": t("history") });
  const opener = button("tool.history", { title: t("history"), "aria-label": t("history"), "aria-haspopup": "menu", popovertarget: list.id }, icon("history"));
  const use = (prompt) => (list.hidePopover(), fill("image", { prompt }));
  list.ontoggle = ({ newState }) => {
    if (newState !== "open") return;
    list.replaceChildren(...read().map((prompt) => button("item", { role: "menuitem", onclick: () => use(prompt) }, prompt)));
    const { left, bottom } = place.closest(".fields").querySelector("#prompt").getBoundingClientRect();
    Object.assign(list.style, { left: `${left}px`, top: `${bottom + 4}px` });
    list.firstChild?.focus();
  };
  list.onkeydown = (event) => {
    const way = { ArrowDown: "nextSibling", ArrowUp: "previousSibling" }[event.key];
    if (!way) return;
    event.preventDefault();
    document.activeElement[way]?.focus();
  };
  place.append(opener, list);
  const show = () => set(opener, { hidden: !read().length });
  changes.addEventListener("job", ({ detail: { job, before } }) => {
    if (before || job.kind !== "image" || job.request.filmstrip || Date.now() / 1000 - job.created > FRESH) return;
    remember(job.request.prompt);
    show();
  });
  show();
  document.querySelector("#prompt textarea")?.addEventListener("keydown", walk);
}

/** Alt+↑ the prompt before, Alt+↓ the one after it. */
function walk(event) {
  const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (!way || !event.altKey) return;
  const prompts = read();
  const next = prompts[prompts.indexOf(event.target.value) + way];
  event.preventDefault();
  if (next !== undefined) fill("image", { prompt: next });
}
