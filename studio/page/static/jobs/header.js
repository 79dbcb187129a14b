// The bar at the top: mark, tabs, the honest state of the machine, language, light and dark.

import { button, el, say, set } from "../core/dom.js";
import { icon, mark } from "../core/icons.js";
import { changes, machine, pill } from "./live.js";
import { notices } from "../components/notices.js";
import { language, phrase, switchLanguage, t } from "../core/i18n.js";
import { open, watchTabs } from "../core/router.js";
import { current, switchTheme } from "../core/theme.js";

export function header(place, { tabs, login }) {
  place.append(
    el("header.bar", {},
      el("a.brand", { href: "#image", "aria-label": t("app") }, mark(), el("span", {}, t("app"))),
      tabList(tabs),
      el("div.right", {}, state(), languageSwitch(), themeSwitch(), owner(), login && logout()),
    ),
  );
  place.append(trouble(), notices());
  watchTabs(tabs);
}

/** Why no worker starts, for as long as none does: nothing else on the page would explain the silence. */
function trouble() {
  const node = el("p.trouble", { role: "alert", hidden: true });
  changes.addEventListener("status", () => {
    const reason = machine.status?.trouble ?? "";
    say(node, reason && `${t("trouble")} ${phrase(reason)}`);
    set(node, { hidden: !reason });
  });
  return node;
}

function tabList(names) {
  const list = el("nav.tabs", { role: "tablist", "aria-label": t("tabs") });
  for (const name of names)
    list.append(
      button("tab", { role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, onclick: () => open(name) }, icon(name, 20), el("span", {}, t(`tab.${name}`))),
    );
  list.addEventListener("keydown", (event) => {
    const at = names.indexOf(event.target.closest("button").id.slice(4));
    const next = { ArrowRight: (at + 1) % names.length, ArrowLeft: (at + names.length - 1) % names.length, Home: 0, End: names.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    open(names[next]);
    list.children[next].focus();
  });
  return list;
}

function state() {
  const text = el("span", {});
  const node = button("pill", { onclick: () => open("queue"), title: t("pill.label") }, el("i.dot", {}), text);
  const show = () => {
    const { state, text: words } = pill();
    node.dataset.state = state;
    say(text, words);
    set(node, { "aria-label": `${t("pill.label")}: ${words}` });
  };
  changes.addEventListener("status", show);
  show();
  return node;
}

function languageSwitch() {
  const other = language() === "en" ? "zh-CN" : "en";
  return button("square", { onclick: switchLanguage, id: "language", lang: other, title: t("language"), "aria-label": t("language") }, t("language.short"));
}

function themeSwitch() {
  const node = button("square", { id: "theme", onclick: () => (switchTheme(), show()) });
  const show = () => {
    const other = current() === "dark" ? "light" : "dark";
    node.replaceChildren(icon(other));
    set(node, { title: t(`theme.${other}`), "aria-label": t(`theme.${other}`) });
  };
  show();
  return node;
}

/** One's own gallery: what it keeps, and how it comes into another browser. */
function owner() {
  return el("a.square", { id: "owner", href: "/owner", title: t("owner"), "aria-label": t("owner") }, icon("owner"));
}

function logout() {
  return el("form", { method: "post", action: "/logout" }, el("button.square", { title: t("logout"), "aria-label": t("logout") }, icon("logout")));
}
